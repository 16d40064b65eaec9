-- hold.lua: hold a partition for a while, and say from where to go on.
--
-- KEYS[1]  lease       string: the holder's token
-- KEYS[2]  projection  hash: see position.lua
-- ARGV[1]  token       names the holder, for as long as it lives
-- ARGV[2]  lease_ms    how long the others wait before they take the partition over
--
-- Returns {"held", generation, requests_id, outcomes_id} | {"busy"}

local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then return {'busy'} end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
local state = {}
local flat = redis.call('HGETALL', KEYS[2])
for place = 1, #flat, 2 do state[flat[place]] = flat[place + 1] end
local current = state.current or '0'
return {'held', current, state[current .. ':requests'] or '0-0', state[current .. ':outcomes'] or '0-0'}
