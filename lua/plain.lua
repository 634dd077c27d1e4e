-- plain is put into scripts that make one step of many reservations. A held one of one line from one location,
-- which most are, is read by one pattern and written by one concatenation, without a table of its lines.

--   state version expires birth created transition fixed, then name sku requested returned location quantity
--   fulfilled: see decode
local PLAIN = '^1\31held\31(%d+)\31((%d+)\31[^\31]*\31[^\31]*)\31([^\31]*)\31'
  .. '([^\30]*\30([^\31\30]*)\31([^\31\30]*)\31%d+\31%d+\31([^\31\30]*)\31(%d+)\31%d+)$'

-- plain is a reservation that is that plain, as it is now; nil where it is another.
local function plain(id)
  local text = records[id]
  if not text then return nil end
  local version, dates, expires, transition, rest, line, sku, location, units = string.match(text, PLAIN)
  if not version or transition == CONFLICT then return nil end
  return {
    text = text, version = version, expires = tonumber(expires), dates = dates, rest = rest, line = line,
    level = sku .. US .. location, units = tonumber(units),
  }
end

-- step_plain puts a plain reservation into its next state, as move does with another.
local function step_plain(verb, id, r, state, transition)
  local text = table.concat({ '1', state, int(r.version + 1), r.dates, transition, r.rest }, US)
  keep(id, text)
  events[#events + 1] = verb .. US .. id .. US .. 'held' .. US .. r.version .. US .. RS .. text
  return text
end
