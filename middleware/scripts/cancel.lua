-- cancel.lua: stop a delivery, or say why it cannot be stopped; never half.
--
-- ARGV[4]  by  '' unless a person asks    ARGV[5] why: both kept in the history
--
-- Returns {"ok"} | {"asked"} (a POST may be on its way) | {"too_late", outcome} | {"unknown"}

if not record.state then return {'unknown'} end
-- What is answered again is written again, for WAIT speaks of what its own connection wrote.
if record.state == 'cancelled' then
  change({state = 'cancelled'})
  return {'ok'}
end
if TERMINAL[record.state] then return {'too_late', record.state} end
if record.state == 'sending' or record.state == 'uncertain' then
  if not record.cancel_asked then note('cancel asked', {by = ARGV[4], why = ARGV[5]}) end
  change({cancel_asked = record.cancel_asked or now})
  return {'asked'}
end
note('cancel asked', {by = ARGV[4], why = ARGV[5]})
finish('cancelled', {error = 'cancelled', reason = 'cancelled before it was posted'})
return {'ok'}
