local seed = 42
local function random() seed = (seed * 1103515245 + 12345) % 2147483648; return seed end
local list = {}
for i = 1, 100000 do list[i] = random() end
table.sort(list)
for i = 2, #list do assert(list[i - 1] <= list[i]) end
print(list[1], list[50000], list[100000])
table.sort(list, function(a, b) return a % 1000 > b % 1000 or (a % 1000 == b % 1000 and a < b) end)
print(list[1], list[2], list[100000])
-- The eight queens.
local solutions = 0
local function place(row, columns, left, right)
    if row == 8 then solutions = solutions + 1; return end
    for column = 0, 7 do
        if not columns[column] and not left[row + column] and not right[row - column] then
            columns[column], left[row + column], right[row - column] = true, true, true
            place(row + 1, columns, left, right)
            columns[column], left[row + column], right[row - column] = nil, nil, nil
        end
    end
end
place(0, {}, {}, {})
print(solutions)
