-- auditing is put into the scripts of the audit: how they write what they have read, and how they look for
-- a deadline.

-- data_of packs texts of any bytes: each as its length, a colon and itself; one that is missing, nil or
-- false, as a dash.
local function data_of(texts, n)
  local parts = {}
  for i = 1, n do
    local text = texts[i]
    parts[i] = text and #text .. ':' .. text or '-'
  end
  return table.concat(parts)
end

-- is_watched says whether an id stands among the deadlines at one of them; seen keeps what was read.
local function is_watched(key, deadline, id, seen)
  local members = seen[deadline]
  if not members then
    local list = redis.call('ZRANGEBYSCORE', key, int(deadline), int(deadline))
    members = US .. table.concat(list, US) .. US
    seen[deadline] = members
  end
  return string.find(members, US .. id .. US, 1, true) ~= nil
end
