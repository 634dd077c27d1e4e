-- transitions is put into scripts of a reservation's steps.

-- repeated says whether a whole transition has been made already: the reservation is where the call
-- wants it, and was not ahead of the caller.
local function repeated(r, state, version)
  return r.state == state and (version == '' or tonumber(version) <= r.version)
end

-- unsettled says that a confirmed reservation's last step is not decided by the ledger yet: nothing
-- may follow it until then.
local function unsettled(r, settled)
  return r.state == 'confirmed' and settled ~= '*' and settled ~= int(r.version)
end

-- counts_of lists the levels of a record's allocations.
local function counts_of(r, names, listed)
  for _, line in ipairs(r.lines) do
    for _, a in ipairs(line.from) do
      local level = line.sku .. US .. a.location
      if not listed[level] then
        listed[level] = true
        names[#names + 1] = level
      end
    end
  end
end
