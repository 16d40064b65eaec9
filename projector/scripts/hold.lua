-- hold.lua: hold a partition for a while, and say from where to go on.
--
-- KEYS[1]  lease     string: the holder's token
-- KEYS[2]  position  hash: the last folded id of each stream
-- ARGV[1]  token     names the holder, for as long as it lives
-- ARGV[2]  lease_ms  how long the others wait before they take the partition over
--
-- Returns {"held", requests_id, outcomes_id} | {"busy"}

local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then return {'busy'} end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
local position = redis.call('HMGET', KEYS[2], 'requests', 'outcomes')
return {'held', position[1] or '0-0', position[2] or '0-0'}
