-- doubt.lua: the POST's fate is unknown to the one who made it.
--
-- ARGV[4]  token
-- ARGV[5]  why    a code, never text
--
-- Returns {"ok"} | {"lost"}

if record.state == 'uncertain' and record.doubted == ARGV[4] then return {'ok'} end
if record.state ~= 'sending' or not is_holder(ARGV[4]) then return {'lost'} end
become_uncertain(ARGV[5])
return {'ok'}
