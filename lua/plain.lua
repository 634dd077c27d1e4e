-- plain takes a short way with plain reservations: held, with one line from one location. Most are.
-- One pattern reads them and one concatenation writes them, without a table of lines.

--   state version expires creation_nonce created transition fixed, then name sku requested returned
--   location quantity fulfilled: see decode
local PLAIN = '^1\31held\31(%d+)\31((%d+)\31[^\31]*\31[^\31]*)\31[^\31]*\31'
  .. '([^\30]*\30([^\31\30]*)\31([^\31\30]*)\31%d+\31%d+\31([^\31\30]*)\31(%d+)\31%d+)$'

-- read_plain returns a plain reservation, or nil if it is not plain.
local function read_plain(id)
  local text = records[id]
  if not text then return nil end
  local version, dates, expires, rest, line, sku, location, units = string.match(text, PLAIN)
  if not version then return nil end
  return {
    text = text, version = version, expires = tonumber(expires), dates = dates, rest = rest, line = line,
    level = sku .. US .. location, units = tonumber(units),
  }
end

-- step_plain puts a plain reservation into its next state, as step does.
local function step_plain(verb, id, r, state, transition)
  local text = table.concat({ '1', state, int(r.version + 1), r.dates, transition, r.rest }, US)
  set_record(id, text)
  events[#events + 1] = verb .. US .. id .. US .. 'held' .. US .. r.version .. US .. RS .. text
  return text
end
