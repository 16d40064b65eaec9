-- mark_sent.lua: a person has found the post whose fate could not be told.
--
-- ARGV[4]  receipt  opaque; equal receipts are the same post
-- ARGV[5]  by       ARGV[6] why: kept in the history
--
-- Returns {"ok"} | {"in_progress", state} | {"too_late", outcome} | {"unknown"}

local receipt = ARGV[4]

if not record.state then return {'unknown'} end
-- Written again, for WAIT speaks of what its own connection wrote.
if record.state == 'sent' and record.receipt == receipt then
  change({receipt = receipt})
  return {'ok'}
end
-- A look that goes on may find less than the person has, or never end.
if record.state ~= 'unproven' and record.state ~= 'uncertain' then
  return {TERMINAL[record.state] and 'too_late' or 'in_progress', record.state}
end

note('marked sent', {by = ARGV[5], why = ARGV[6]})
finish('sent', {receipt = receipt, error = false, reason = false},
  {by = ARGV[5], why = ARGV[6]})
return {'ok'}
