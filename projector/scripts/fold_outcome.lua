-- fold_outcome.lua: an outcome enters its tenant's views, and the position moves past its event.
--
-- KEYS[2]  known     set: the partition's tenants
-- KEYS[3]  timeline  list: the request's events
-- KEYS[4]  listed    zset: where the request is listed from now on; none when that stays as it is
-- KEYS[5...]         zsets: where it is listed no longer
-- ARGV[4]  tenant    ARGV[5] id    ARGV[6] entry, of the timeline    ARGV[7] at_ms
-- ARGV[8]  retention_ms
--
-- Returns {"applied"} | {"seen"} | {"gap", folded_id}

local tenant, id, at_ms, retention_ms = ARGV[4], ARGV[5], ARGV[7], tonumber(ARGV[8])

local hindered = hindrance()
if hindered then return hindered end

redis.call('SADD', KEYS[2], tenant)
redis.call('RPUSH', KEYS[3], ARGV[6])
redis.call('PEXPIRE', KEYS[3], retention_ms)
for place = 5, #KEYS do redis.call('ZREM', KEYS[place], id) end
if KEYS[4] then
  redis.call('ZADD', KEYS[4], at_ms, id)
  local forgotten = string.format('%.0f', now_ms() - retention_ms)
  redis.call('ZREMRANGEBYSCORE', KEYS[4], '-inf', forgotten)
  redis.call('PEXPIRE', KEYS[4], retention_ms)
end
return advance()
