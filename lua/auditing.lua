-- auditing has what the scripts of the audit share.

-- pack_texts packs n texts of any bytes: each as its length, a colon and itself; a missing one, nil
-- or false, as a dash.
local function pack_texts(texts, n)
  local parts = {}
  for i = 1, n do
    local text = texts[i]
    parts[i] = text and #text .. ':' .. text or '-'
  end
  return table.concat(parts)
end

-- is_watched reports whether an id is in a member of deadlines at the given deadline. It keeps what
-- it has read in seen.
local function is_watched(key, deadline, id, seen)
  local members = seen[deadline]
  if not members then
    local list = redis.call('ZRANGEBYSCORE', key, int(deadline), int(deadline))
    members = US .. table.concat(list, US) .. US
    seen[deadline] = members
  end
  return string.find(members, US .. id .. US, 1, true) ~= nil
end
