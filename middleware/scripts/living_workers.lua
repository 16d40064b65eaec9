-- living_workers.lua: how many workers have said lately that they live.
--
-- KEYS[1]  workers    see note_worker.lua
-- ARGV[1]  silent_ms  who said nothing for this long is dead
--
-- Returns {count}

local since = string.format('(%.0f', now_ms() - tonumber(ARGV[1]))
return {tostring(redis.call('ZCOUNT', KEYS[1], since, '+inf'))}
