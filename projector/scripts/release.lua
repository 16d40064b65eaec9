-- release.lua: let go of a partition, so that nobody has to wait for the lease to end.
--
-- KEYS[1]  lease  string: the holder's token
-- ARGV[1]  token
--
-- Returns {"ok"}, also when another holds it by now

if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end
return {'ok'}
