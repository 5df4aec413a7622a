-- SPDX-License-Identifier: MIT
-- The median of a list of numbers, which it sorts.
return function(row)
  table.sort(row)
  local middle = #row // 2
  return #row % 2 == 1 and row[middle + 1] or (row[middle] + row[middle + 1]) / 2
end
