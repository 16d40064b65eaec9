-- intend.lua: the point of no return: mark, just before the POST, that there may be one.
--
-- ARGV[4]  token
-- ARGV[5]  target            where it goes, opaque; frozen from here on
-- ARGV[6]  lease_ms          set anew: the POST gets a whole lease
-- ARGV[7]  post_deadline_ms  nothing is written to the socket later than this
-- ARGV[8]  settle_delay_ms   how long after that a POST may still show up in the channel
--
-- Returns {"go", intent_at_ms, now_ms, target} | {"lost"} | {"settled", outcome}

local token, lease_ms = ARGV[4], tonumber(ARGV[6])

local function go() return {'go', record.intent_at, whole(now), record.target} end

if not record.state then return {'lost'} end
if TERMINAL[record.state] then return {'settled', record.state} end
-- Its own reply was lost: the same instant, so that asking again gains no time. Written again, for
-- WAIT speaks of what its own connection wrote.
if record.state == 'sending' and is_holder(token) then
  change({intent_at = record.intent_at})
  return go()
end
if record.state ~= 'claimed' or not is_holder(token) or not lease_is_live() then return {'lost'} end
if past_expiry() then
  finish_expired()
  return {'settled', record.state}
end

change({state = 'sending', intent_at = now, lease_until = now + lease_ms,
  reconcile_at = now + tonumber(ARGV[7]) + tonumber(ARGV[8]), target = record.target or ARGV[5]})
count('sending')
due_at(now + lease_ms)
note('sending', {token = string.sub(token, 1, 8)})
return go()
