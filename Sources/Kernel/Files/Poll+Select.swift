import LinuxABI

extension Poll {
    /// As select(2): the sets are bit maps of `count` descriptors in the program's memory, at zero
    /// when absent, and hold what is ready afterwards. Answers how many bits are set.
    public static func select(
        _ count: Int,
        reading: UInt,
        writing: UInt,
        exceptional: UInt,
        in table: DescriptorTable,
        until deadline: Nanoseconds
    ) throws(Errno) -> Int {
        guard count >= 0 else { throw .invalidArgument }
        let count = min(count, table.capacity)
        let words = (count + 63) / 64
        let memory = try KernelBuffer(words * 8 * 3)
        memory.bytes.initializeMemory(as: UInt8.self, repeating: 0)
        let sets = [reading, writing, exceptional]
        for (index, address) in sets.enumerated() where address != 0 {
            try UserMemory.read(part(memory.bytes, index, words), at: address)
        }
        let list = try KernelBuffer(count * MemoryLayout<Entry>.stride)
        let entries = UnsafeMutableBufferPointer(
            start: list.bytes.baseAddress!.assumingMemoryBound(to: Entry.self),
            count: count
        )
        let used = try fill(entries, count, memory.bytes, words, table)
        _ = try wait(used, in: table, until: deadline)
        memory.bytes.initializeMemory(as: UInt8.self, repeating: 0)
        let found = collect(used, memory.bytes, words)
        for (index, address) in sets.enumerated() where address != 0 {
            try UserMemory.write(
                UnsafeRawBufferPointer(part(memory.bytes, index, words)),
                at: address
            )
        }
        return found
    }

    private static func part(_ bytes: UnsafeMutableRawBufferPointer, _ index: Int, _ words: Int)
        -> UnsafeMutableRawBufferPointer
    {
        UnsafeMutableRawBufferPointer(
            start: bytes.baseAddress! + index * words * 8,
            count: words * 8
        )
    }

    /// What each set asks for, as Linux's POLLIN_SET, POLLOUT_SET and POLLEX_SET have it.
    private static let asked: InlineArray<3, PollEvents> = [
        [.allReadable, .readBand, .hangUp, .error, .invalid],
        [.allWritable, .writeBand, .error, .invalid], [.priority, .invalid],
    ]

    private static func bit(_ bytes: UnsafeMutableRawBufferPointer, _ index: Int) -> Bool {
        bytes[index / 8] >> UInt8(index % 8) & 1 != 0
    }

    private static func fill(
        _ entries: UnsafeMutableBufferPointer<Entry>,
        _ count: Int,
        _ bytes: UnsafeMutableRawBufferPointer,
        _ words: Int,
        _ table: DescriptorTable
    ) throws(Errno) -> UnsafeMutableBufferPointer<Entry> {
        var used = 0
        for descriptor in 0..<count {
            var events: PollEvents = []
            for set in 0..<3 where bit(part(bytes, set, words), descriptor) {
                events.formUnion(asked[set])
            }
            guard !events.isEmpty else { continue }
            _ = try table.lend(FileDescriptor(Int32(descriptor)))
            entries[used] = Entry(
                descriptor: Int32(descriptor),
                events: Int16(truncatingIfNeeded: events.rawValue)
            )
            used += 1
        }
        return UnsafeMutableBufferPointer(rebasing: entries[..<used])
    }

    private static func collect(
        _ entries: UnsafeMutableBufferPointer<Entry>,
        _ bytes: UnsafeMutableRawBufferPointer,
        _ words: Int
    ) -> Int {
        var found = 0
        for entry in entries {
            let returned = PollEvents(rawValue: UInt32(UInt16(bitPattern: entry.returned)))
            let wanted = PollEvents(rawValue: UInt32(UInt16(bitPattern: entry.events)))
            for set in 0..<3 {
                guard wanted.isSuperset(of: asked[set]), !returned.isDisjoint(with: asked[set])
                else { continue }
                let index = Int(entry.descriptor)
                part(bytes, set, words)[index / 8] |= 1 << UInt8(index % 8)
                found += 1
            }
        }
        return found
    }
}
