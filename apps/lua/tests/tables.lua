local list = {}
for i = 1, 200000 do list[i] = i * 7919 % 200003 end
for i = 1, 1000 do table.insert(list, 1 + i % 50, -i) end
for i = 1, 500 do table.remove(list, i) end
local sum = 0
for i, v in ipairs(list) do sum = (sum + i * v) % 1000000007 end
print(#list, sum)
local hash = {}
for i = 1, 300000 do hash["k" .. i % 40000] = i end
local n, total = 0, 0
for _, v in pairs(hash) do n, total = n + 1, total + v end
print(n, total)
print(table.unpack({1, 2, 3}, 2))
print(table.concat(table.move({1, 2, 3}, 1, 3, 2), ","))
local weak = setmetatable({}, {__mode = "k"})
for i = 1, 100 do weak[{}] = i end
collectgarbage()
print(next(weak))
