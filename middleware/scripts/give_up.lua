-- give_up.lua: no look will ever tell; a person must decide.
--
-- ARGV[4]  token
-- ARGV[5]  error   why it cannot be told, a code
-- ARGV[6]  reason  a sentence
--
-- Returns {"ok"} | {"lost"}

local token = ARGV[4]

if record.state == 'unproven' and is_holder(token) then return {'ok'} end
if record.state ~= 'uncertain' or not is_holder(token) then return {'lost'} end
finish('unproven', {error = ARGV[5], reason = ARGV[6]})
return {'ok'}
