-- fold_requested.lua: a request enters its tenant's views, and the position moves past its event.
--
-- KEYS[2]  known     set: the partition's tenants
-- KEYS[3]  timeline  list: the request's events
-- KEYS[4]  open      zset: the tenant's open requests by time
-- KEYS[5]  delivery  hash: the record
-- KEYS[6...]         zsets: those that have ended, by outcome
-- ARGV[4]  tenant    ARGV[5] id    ARGV[6] entry, of the timeline    ARGV[7] at_ms
-- ARGV[8]  retention_ms
--
-- Returns {"applied"} | {"seen"} | {"gap", folded_id}

local tenant, id, at_ms, retention_ms = ARGV[4], ARGV[5], ARGV[7], tonumber(ARGV[8])

local hindered = hindrance()
if hindered then return hindered end

-- An outcome may be folded first; the request must not open what has ended. What ended longer ago
-- than the retention was another request of this id, forgotten since; and where no record is left,
-- it was this one: nothing would ever end it again.
local has_ended = redis.call('EXISTS', KEYS[5]) == 0
for place = 6, #KEYS do
  local ended_at = tonumber(redis.call('ZSCORE', KEYS[place], id) or 0)
  has_ended = has_ended or ended_at > now_ms() - retention_ms
end

redis.call('SADD', KEYS[2], tenant)
redis.call('RPUSH', KEYS[3], ARGV[6])
if has_ended then
  redis.call('PEXPIRE', KEYS[3], retention_ms)
else
  redis.call('PERSIST', KEYS[3])
  redis.call('ZADD', KEYS[4], at_ms, id)
end
return advance()
