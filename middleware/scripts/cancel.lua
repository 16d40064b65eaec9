-- cancel.lua: stop a delivery, or say why it cannot be stopped; never half.
--
-- ARGV[4]  by  '' unless a person asks    ARGV[5] why: both are told with the outcome
--
-- Returns {"ok"} | {"asked"} (a POST may be on its way) | {"too_late", outcome} | {"unknown"}

if not record.state then return {'unknown'} end
-- What is answered again is written again, for WAIT speaks of what its own connection wrote.
if record.state == 'cancelled' then
  change({state = 'cancelled'})
  return {'ok'}
end
if TERMINAL[record.state] then
  if record.cancel_asked then change({cancel_asked = record.cancel_asked}) end
  return {'too_late', record.state}
end

local by, why = ARGV[4], ARGV[5]
if not record.cancel_asked then note('cancel asked', {by = by, why = why}) end
change({cancel_asked = record.cancel_asked or now,
  cancel_by = record.cancel_by or by ~= '' and by,
  cancel_why = record.cancel_why or why ~= '' and why})
if record.state == 'sending' or record.state == 'uncertain' then return {'asked'} end
finish_cancelled('cancelled before it was posted')
-- Not so where an earlier round may have posted it.
return record.state == 'cancelled' and {'ok'} or {'too_late', record.state}
