-- cancel.lua: stop a delivery, or say why it cannot be stopped; never half.
--
-- Returns {"ok"} | {"asked"} (a POST may be on its way) | {"too_late", outcome} | {"unknown"}

if not record.state then return {'unknown'} end
if record.state == 'cancelled' then return {'ok'} end
if TERMINAL[record.state] then return {'too_late', record.state} end
if record.state == 'sending' or record.state == 'uncertain' then
  if not record.cancel_asked then
    change({cancel_asked = now})
    note('cancel asked', {})
  end
  return {'asked'}
end
finish('cancelled', {error = 'cancelled', reason = 'cancelled before it was posted'})
return {'ok'}
