-- trim.lua: forget the log's oldest events, up to the first whose request still has a record.
--
-- KEYS[3]  outcomes  stream: events for everyone
-- KEYS[4...]         hashes: records that may need an event
-- ARGV[3]  event_id  as trimmable.lua told    ARGV[4] place of its record in KEYS, 0 for none
--                    and so on, in pairs
--
-- Returns {requests_forgotten, outcomes_forgotten, group, ...}: groups that had not read all of it

local outcomes = KEYS[3]

local function forget(name, stream, last_id)
  -- What a rebuild has not folded yet it need not fold; its lag would else stay for ever.
  local building = redis.call('HGET', projection, 'building')
  local unfolded = building
    and #redis.call('XRANGE', stream, '(' .. folded_id(building, name), last_id) or 0
  if unfolded > 0 then
    redis.call('HINCRBY', projection, building .. ':' .. name .. ':folded', unfolded)
  end
  local ms, number = string.match(last_id, '^(%d+)-(%d+)$')
  -- Exactly: the server would else leave some, or need not trim at all.
  redis.call('XTRIM', stream, 'MINID', '=', ms .. '-' .. string.format('%.0f', number + 1))
end

local forgotten, last_id = 0, nil
for number, event in ipairs(oldest('requests', requests)) do
  local event_id, place = ARGV[1 + 2 * number], tonumber(ARGV[2 + 2 * number])
  -- Another has trimmed, or more may be trimmed by now than was looked at.
  if event[1] ~= event_id then break end
  if place > 0 and redis.call('EXISTS', KEYS[place]) == 1 then break end
  forgotten, last_id = number, event_id
end
if last_id then forget('requests', requests, last_id) end

-- No outcome of a request that is kept is older than it.
local kept = redis.call('XRANGE', requests, '-', '+', 'COUNT', 1)[1]
local kept_ms = kept and tonumber(string.match(kept[1], '^%d+'))
local old = oldest('outcomes', outcomes, kept_ms)
local answer = {string.format('%.0f', forgotten), string.format('%.0f', #old)}
if #old == 0 then return answer end

last_id = old[#old][1]
for _, about in ipairs(redis.call('XINFO', 'GROUPS', outcomes)) do
  local group = {}
  for place = 1, #about, 2 do group[about[place]] = about[place + 1] end
  local unread = '(' .. group['last-delivered-id']
  if #redis.call('XRANGE', outcomes, unread, last_id, 'COUNT', 1) > 0 then
    answer[#answer + 1] = group.name
  end
end
forget('outcomes', outcomes, last_id)
return answer
