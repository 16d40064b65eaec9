-- generations.lua: which generations of a partition's views are in use.
--
-- KEYS[1]  projection  hash: see position.lua
--
-- Returns {current} | {current, building}

-- Whatever became of it, a rebuild must be able to mend it.
if redis.call('TYPE', KEYS[1]).ok ~= 'hash' then redis.call('DEL', KEYS[1]) end
local known = redis.call('HMGET', KEYS[1], 'current', 'building')
return {known[1] or '0', known[2] or nil}
