-- postpone.lua: give the claim back: nothing was posted by it.
--
-- ARGV[4]  token
-- ARGV[5]  reason    for the history
-- ARGV[6]  delay_ms  before it is dispatched again
-- ARGV[7]  "given back" when only waiting was needed, "used" when the attempt failed
--
-- Returns {"ok"} | {"lost"} | {"settled", outcome} (a cancel was asked for)

local token, reason, delay_ms = ARGV[4], ARGV[5], tonumber(ARGV[6])
local given_back = ARGV[7] == 'given back'

if record.state == 'waiting' and record.released == token then return {'ok'} end
if has_become('cancelled') and is_holder(token) then return {'settled', record.state} end
local held = record.state == 'claimed' or record.state == 'sending'
if not held or not is_holder(token) then return {'lost'} end

change({attempts = number('attempts') - (given_back and 1 or 0), released = token,
  returns = number('returns') + 1})
if record.cancel_asked then
  finish_cancelled('cancelled before it was posted')
  return {'settled', record.state}
end
note('postponed', {reason = reason, delay_ms = delay_ms, attempt = ARGV[7]})
wait_until(now + delay_ms)
return {'ok'}
