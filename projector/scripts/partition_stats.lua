-- partition_stats.lua: how much stands in a partition, all at one instant.
--
-- KEYS[1]  counts    hash: open deliveries by state
-- KEYS[2]  tenants   zset: tenant by its earliest due time
-- KEYS[3]  projection  hash: see position.lua
-- KEYS[4]  known     set: the partition's tenants
-- KEYS[5]  requests  KEYS[6] outcomes  streams
--
-- Returns {now_ms, generation, earliest_due_ms or "", unfolded, waiting, delayed, claimed, sending,
--   uncertain, tenant, ...}

local function added(stream)
  if redis.call('EXISTS', stream) == 0 then return 0 end
  local about = redis.call('XINFO', 'STREAM', stream)
  for place = 1, #about, 2 do
    -- Counted by the server, whatever was trimmed since.
    if about[place] == 'entries-added' then return tonumber(about[place + 1]) end
  end
end

local current = redis.call('HGET', KEYS[3], 'current') or '0'
local folded = redis.call('HMGET', KEYS[3], current .. ':requests:folded',
  current .. ':outcomes:folded')
local unfolded = added(KEYS[5]) - tonumber(folded[1] or 0)
  + added(KEYS[6]) - tonumber(folded[2] or 0)

local earliest = redis.call('ZRANGE', KEYS[2], 0, 0, 'WITHSCORES')
local answer = {string.format('%.0f', now_ms()), current, earliest[2] or '',
  string.format('%.0f', unfolded)}
local counts = redis.call('HMGET', KEYS[1], 'waiting', 'delayed', 'claimed', 'sending', 'uncertain')
for place = 1, 5 do answer[#answer + 1] = counts[place] or '0' end
for _, tenant in ipairs(redis.call('SMEMBERS', KEYS[4])) do answer[#answer + 1] = tenant end
return answer
