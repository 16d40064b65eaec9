-- note_worker.lua: a worker says that it lives.
--
-- KEYS[1]  workers    zset: worker by when it last said so
-- ARGV[1]  worker     names it for as long as it lives
-- ARGV[2]  silent_ms  who says nothing for this long is dead
--
-- Returns {"noted"}

local now, silent_ms = now_ms(), tonumber(ARGV[2])
redis.call('ZADD', KEYS[1], string.format('%.0f', now), ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', string.format('%.0f', now - silent_ms))
redis.call('PEXPIRE', KEYS[1], silent_ms)
return {'noted'}
