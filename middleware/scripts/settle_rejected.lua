-- settle_rejected.lua: it will never be posted as it stands, and was not posted by this claim.
--
-- ARGV[4]  token
-- ARGV[5]  error   the code
-- ARGV[6]  reason  a sentence for a person, without message text
--
-- Returns {"ok"} | {"lost"}

local token = ARGV[4]

if has_become('rejected') and is_holder(token) then return {'ok'} end
local held = record.state == 'claimed' or record.state == 'sending'
if not held or not is_holder(token) then return {'lost'} end

-- Refused while preparing: nothing was tried, so no attempt was used.
local used = record.state == 'claimed' and 1 or 0
finish('rejected', {error = ARGV[5], reason = ARGV[6], attempts = number('attempts') - used})
return {'ok'}
