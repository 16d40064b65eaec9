-- forget_worker.lua: a worker says that it ends.
--
-- KEYS[1]  workers  see note_worker.lua
-- ARGV[1]  worker
--
-- Returns {"forgotten"}, also where nothing was known of it

redis.call('ZREM', KEYS[1], ARGV[1])
return {'forgotten'}
