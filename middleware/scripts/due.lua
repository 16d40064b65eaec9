-- due.lua: what is due in a sorted set of due times, earliest first.
--
-- KEYS[1]  due    zset by due time
-- KEYS[2]  epoch  see enter_epoch.lua; where it is given, another server is noticed here, too
-- ARGV[1]  limit  at most so many
--
-- Returns {now_ms, next_ms or "", member, ...} (next_ms is the first due time still ahead)
--   | {"epoch_changed"}

-- Asked every second, so that no server is followed by another one between two questions.
if KEYS[2] and redis.call('HMGET', KEYS[2], 'replication_id')[1] ~= replication_id() then
  return {'epoch_changed'}
end

local now = string.format('%.0f', now_ms())
local members = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now, 'LIMIT', 0, ARGV[1])
local ahead = redis.call('ZRANGEBYSCORE', KEYS[1], '(' .. now, '+inf', 'WITHSCORES', 'LIMIT', 0, 1)
return {now, ahead[2] or '', unpack(members)}
