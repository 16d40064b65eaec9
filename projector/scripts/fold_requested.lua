-- fold_requested.lua: a request enters its tenant's views, and the position moves past its event.
--
-- KEYS[2]  known     set: the partition's tenants
-- KEYS[3]  timeline  list: the request's events
-- KEYS[4]  delivery  hash: the record
-- KEYS[5]  open      zset: the tenant's open requests by time
-- KEYS[6...]         zsets: those that have ended, by outcome
-- ARGV[5]  tenant    ARGV[6] id    ARGV[7] entry, of the timeline    ARGV[8] at_ms
-- ARGV[9]  retention_ms
--
-- Returns {"applied"} | {"seen"} | {"gap", folded_id}

local tenant, id, at_ms, retention_ms = ARGV[5], ARGV[6], tonumber(ARGV[8]), tonumber(ARGV[9])
-- What happened before this happened to another request of this id, forgotten since.
local forgotten_ms = at_ms - retention_ms

local hindered = hindrance()
if hindered then return hindered end

-- An outcome may be folded first; the request must not open what has ended. Where no record is
-- left, it has ended too: nothing would ever end it again.
local has_ended = redis.call('EXISTS', KEYS[4]) == 0
for place = 6, #KEYS do
  local ended_ms = tonumber(redis.call('ZSCORE', KEYS[place], id) or 0)
  if ended_ms > forgotten_ms then has_ended = true end
  if ended_ms > 0 and ended_ms <= forgotten_ms then redis.call('ZREM', KEYS[place], id) end
end

redis.call('SADD', KEYS[2], tenant)
-- First in its timeline, whatever was folded before it: so the order of the streams is no matter.
local is_alone = redis.call('LPUSH', KEYS[3], ARGV[7]) == 1
if not is_alone then
  local next_ms = tonumber(string.match(redis.call('LINDEX', KEYS[3], 1), '%d+'))
  is_alone = next_ms <= forgotten_ms
  if is_alone then redis.call('LTRIM', KEYS[3], 0, 0) end
end
if not has_ended then
  redis.call('PERSIST', KEYS[3])
  -- What was redriven before its request was folded is listed by the time of that.
  if is_alone then
    redis.call('ZADD', KEYS[5], ARGV[8], id)
  else
    redis.call('ZADD', KEYS[5], 'NX', ARGV[8], id)
  end
elseif is_alone then
  redis.call('PEXPIREAT', KEYS[3], string.format('%.0f', at_ms + retention_ms))
end
return advance()
