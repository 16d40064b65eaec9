-- fold_outcome.lua: an outcome enters its tenant's views, and the position moves past its event.
--
-- KEYS[2]  known     set: the partition's tenants
-- KEYS[3]  timeline  list: the request's events
-- KEYS[4]  delivery  hash: the record
-- KEYS[5]  listed    zset: where the request is listed from now on; none when that stays as it is
-- KEYS[6...]         zsets: where it is listed no longer
-- ARGV[5]  tenant    ARGV[6] id    ARGV[7] entry, of the timeline    ARGV[8] at_ms
-- ARGV[9]  retention_ms
--
-- Returns {"applied"} | {"seen"} | {"gap", folded_id}

local tenant, id, at_ms, retention_ms = ARGV[5], ARGV[6], tonumber(ARGV[8]), tonumber(ARGV[9])

local hindered = hindrance()
if hindered then return hindered end

redis.call('SADD', KEYS[2], tenant)
if not KEYS[5] then
  -- A stray post is evidence about a record, and is kept for as long as that.
  redis.call('RPUSHX', KEYS[3], ARGV[7])
  return advance()
end

-- A rebuild folds ends that were taken back since, and ends of earlier requests of an id: what came
-- after them, and still comes, tells how long the timeline is kept.
local function is_latest_end()
  local record = redis.call('HMGET', KEYS[4], 'state', 'settled_at')
  return not record[1] or record[2] == ARGV[8]
end

-- By the event's time and not by now, so that folded again it makes the same; what is older than
-- the retention is gone at once.
local until_ms = string.format('%.0f', at_ms + retention_ms)
redis.call('RPUSH', KEYS[3], ARGV[7])
if generation == current or is_latest_end() then redis.call('PEXPIREAT', KEYS[3], until_ms) end
for place = 6, #KEYS do redis.call('ZREM', KEYS[place], id) end
redis.call('ZADD', KEYS[5], ARGV[8], id)
redis.call('ZREMRANGEBYSCORE', KEYS[5], '-inf', string.format('%.0f', at_ms - retention_ms))
redis.call('PEXPIREAT', KEYS[5], until_ms)
return advance()
