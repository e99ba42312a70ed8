for _, mode in ipairs({"incremental", "generational"}) do
    collectgarbage(mode)
    local finished = 0
    for round = 1, 30 do
        local list
        for i = 1, 20000 do list = {list, tostring(i)} end
        setmetatable({}, {__gc = function() finished = finished + 1 end})
    end
    collectgarbage()
    print(mode, finished, collectgarbage("count") < 20000)
end
