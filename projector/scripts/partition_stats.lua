-- partition_stats.lua: how much stands in a partition, all at one instant.
--
-- KEYS[1]  counts    hash: open deliveries by state
-- KEYS[2]  tenants   zset: tenant by its earliest due time
-- KEYS[3]  projection  hash: see position.lua
-- KEYS[4]  known     set: the partition's tenants
-- KEYS[5]  requests  KEYS[6] outcomes  streams
--
-- Returns {now_ms, generation, earliest_due_ms or "", unfolded, oldest_unfolded_ms or "", waiting,
--   delayed, claimed, sending, uncertain, tenant, ...}

local function added(stream)
  if redis.call('EXISTS', stream) == 0 then return 0 end
  local about = redis.call('XINFO', 'STREAM', stream)
  for place = 1, #about, 2 do
    -- Counted by the server, whatever was trimmed since.
    if about[place] == 'entries-added' then return tonumber(about[place + 1]) end
  end
end

-- When the first event after the position was appended, which is what its id begins with.
local function next_ms(stream, position)
  local event = redis.call('XRANGE', stream, '(' .. (position or '0-0'), '+', 'COUNT', 1)[1]
  return event and tonumber(string.match(event[1], '^%d+'))
end

local current = redis.call('HGET', KEYS[3], 'current') or '0'
local folded = redis.call('HMGET', KEYS[3], current .. ':requests:folded',
  current .. ':outcomes:folded', current .. ':requests', current .. ':outcomes')
local request_ms, outcome_ms = next_ms(KEYS[5], folded[3]), next_ms(KEYS[6], folded[4])

-- What was forgotten before there was a projector was added, too, and is never folded.
local function unfolded_of(stream, folded_before, ahead_ms)
  if not ahead_ms then return 0 end
  return math.min(added(stream) - tonumber(folded_before or 0), redis.call('XLEN', stream))
end

local unfolded = unfolded_of(KEYS[5], folded[1], request_ms)
  + unfolded_of(KEYS[6], folded[2], outcome_ms)
local oldest_ms = request_ms and outcome_ms and math.min(request_ms, outcome_ms)
  or request_ms or outcome_ms

local earliest = redis.call('ZRANGE', KEYS[2], 0, 0, 'WITHSCORES')
local answer = {string.format('%.0f', now_ms()), current, earliest[2] or '',
  string.format('%.0f', unfolded), oldest_ms and string.format('%.0f', oldest_ms) or ''}
local counts = redis.call('HMGET', KEYS[1], 'waiting', 'delayed', 'claimed', 'sending', 'uncertain')
for place = 1, 5 do answer[#answer + 1] = counts[place] or '0' end
for _, tenant in ipairs(redis.call('SMEMBERS', KEYS[4])) do answer[#answer + 1] = tenant end
return answer
