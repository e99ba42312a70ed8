import Kernel
import LinuxABI

/// Strings, buffers and lists of the program's memory.
extension TraceBuffer {
    /// Bytes of a string or buffer that are shown, and elements of a list.
    private static let shownBytes = 32
    private static let shownElements = 32
    private static let longestPath = 4096

    /// Reads at most `scratchSize` bytes; nil when they are not readable.
    mutating func load(_ address: UInt, _ count: Int) -> UnsafeRawBufferPointer? {
        guard count <= TraceBuffer.scratchSize else { return nil }
        let target = UnsafeMutableRawBufferPointer(rebasing: scratch[..<count])
        do throws(Errno) {
            try UserMemory.read(target, at: address)
            return UnsafeRawBufferPointer(target)
        } catch {
            return nil
        }
    }

    mutating func word(_ address: UInt) -> UInt? {
        load(address, 8)?.loadUnaligned(as: UInt.self)
    }

    /// Appends an argument that is bytes or a list; false when the kind is neither.
    mutating func appendData(
        _ value: UInt,
        _ kind: Argument,
        _ index: Int,
        _ call: CallArguments
    ) -> Bool {
        let next = index < 5 ? Int(bitPattern: call.registers[index + 1]) : 0
        switch kind {
        case .path: append(stringAt: value, limit: TraceBuffer.longestPath)
        case .string, .stringResult: append(stringAt: value, limit: TraceBuffer.shownBytes)
        case .pathResult: append(stringAt: value, limit: max(0, call.result))
        case .input: append(bytesAt: value, count: next)
        case .output: append(bytesAt: value, count: min(call.result, next))
        case .inputVector: append(vectorAt: value, count: next, bytes: .max)
        case .outputVector: append(vectorAt: value, count: next, bytes: call.result)
        case .semaphoreOperations: append(semaphoreOperationsAt: value, count: next)
        case .stringList: append(stringsAt: value)
        case .environment: append(environmentAt: value)
        case .pollList: append(pollListAt: value, count: next)
        case .selectSet:
            append(selectSetAt: value, count: Int(Int32(truncatingIfNeeded: call.registers[0])))
        case .epollEventsResult: append(epollEventsAt: value, count: call.result)
        case .directoryEntriesResult: append(directoryEntriesAt: value, size: call.result)
        case .processorSet: append(processorsAt: value, size: Int(bitPattern: call.registers[1]))
        case .processorSetResult: append(processorsAt: value, size: call.result)
        case .socketAddress, .socketAddressResult, .messageHeader, .messageHeaderResult:
            appendSocketData(value, kind, next, call)
        default: return false
        }
        return true
    }

    // MARK: Strings and buffers

    /// A string up to its NUL; more than `limit` bytes are cut.
    mutating func append(stringAt address: UInt, limit: Int) {
        guard address != 0 else { return append("NULL") }
        let start = count
        append("\"")
        var position = address
        var room = limit
        while true {
            // Never over a page's end: the string may be the last of what is mapped.
            let length = min(64, 4096 - Int(position & 4095))
            guard let piece = load(position, length) else {
                truncate(to: start)
                return append(address: address)
            }
            let end = piece.firstIndex(of: 0) ?? piece.count
            append(escaping: UnsafeRawBufferPointer(rebasing: piece[..<min(end, room)]))
            if end < piece.count, end <= room { return append("\"") }
            guard end < room else { return append("\"...") }
            room -= end
            position &+= UInt(length)
        }
    }

    /// The first bytes of a buffer.
    mutating func append(bytesAt address: UInt, count: Int) {
        guard address != 0 else { return append("NULL") }
        guard count >= 0 else { return append(address: address) }
        guard let bytes = load(address, min(count, TraceBuffer.shownBytes)) else {
            return append(address: address)
        }
        append("\"")
        append(escaping: bytes)
        append(count > TraceBuffer.shownBytes ? "\"..." : "\"")
    }

    // MARK: Lists

    /// Appends `count` elements of `stride` bytes between brackets; the address instead when the
    /// first is not readable.
    private mutating func append(
        listAt address: UInt,
        count: Int,
        stride: Int,
        _ element: (inout TraceBuffer, UInt) -> Bool
    ) {
        guard address != 0 else { return append("NULL") }
        let start = self.count
        append("[")
        for index in 0..<max(0, min(count, TraceBuffer.shownElements)) {
            if index > 0 { append(", ") }
            let position = address &+ UInt(index &* stride)
            if element(&self, position) { continue }
            if index == 0 {
                truncate(to: start)
                return append(address: address)
            }
            append("... /* ")
            append(address: position)
            return append(" */]")
        }
        append(count > TraceBuffer.shownElements ? ", ...]" : "]")
    }

    /// `[{iov_base="abc", iov_len=3}]`; `bytes` of them hold data.
    mutating func append(vectorAt address: UInt, count: Int, bytes: Int) {
        var rest = bytes
        append(listAt: address, count: count, stride: 16) { line, position in
            guard let base = line.word(position), let length = line.word(position &+ 8) else {
                return false
            }
            let filled = max(0, min(rest, Int(clamping: length)))
            rest -= filled
            line.append("{iov_base=")
            line.append(bytesAt: base, count: filled)
            line.append(", iov_len=")
            line.append(UInt64(length))
            line.append("}")
            return true
        }
    }

    /// `[{0, -1, SEM_UNDO|IPC_NOWAIT}]`
    private mutating func append(semaphoreOperationsAt address: UInt, count: Int) {
        append(listAt: address, count: count, stride: 6) { line, position in
            guard let bytes = line.load(position, 6) else { return false }
            let number = bytes.loadUnaligned(as: UInt16.self)
            let change = bytes.loadUnaligned(fromByteOffset: 2, as: Int16.self)
            let flags = bytes.loadUnaligned(fromByteOffset: 4, as: UInt16.self)
            line.append("{")
            line.append(UInt64(number))
            line.append(", ")
            line.append(Int(change))
            line.append(", ")
            line.append(UInt64(flags), flags: NameTable("SEM_??? 1000:SEM_UNDO 800:IPC_NOWAIT"))
            line.append("}")
            return true
        }
    }

    /// argv: strings up to a NULL.
    private mutating func append(stringsAt address: UInt) {
        var length = 0
        while length <= TraceBuffer.shownElements,
            let string = word(address &+ UInt(length * 8)), string != 0
        {
            length += 1
        }
        if length == 0, address != 0, word(address) == nil { return append(address: address) }
        append(listAt: address, count: length, stride: 8) { line, position in
            guard let string = line.word(position) else { return false }
            line.append(stringAt: string, limit: TraceBuffer.shownBytes)
            return true
        }
    }

    /// envp: how many there are.
    private mutating func append(environmentAt address: UInt) {
        append(address: address)
        guard address != 0 else { return }
        var length = 0
        while length < 4096 {
            guard let string = word(address &+ UInt(length * 8)) else { return }
            if string == 0 { break }
            length += 1
        }
        append(" /* ")
        append(length)
        append(length == 1 ? " var */" : " vars */")
    }

    /// `[{fd=0, events=POLLIN}]`
    private mutating func append(pollListAt address: UInt, count: Int) {
        append(listAt: address, count: count, stride: 8) { line, position in
            guard let entry = line.load(position, 8) else { return false }
            let descriptor = entry.loadUnaligned(as: Int32.self)
            let events = entry.loadUnaligned(fromByteOffset: 4, as: UInt16.self)
            line.append("{fd=")
            line.append(Int(descriptor))
            if descriptor >= 0 {
                line.append(", events=")
                line.append(UInt64(events), flags: .poll)
            }
            line.append("}")
            return true
        }
    }

    /// What poll(2) found: ` ([{fd=0, revents=POLLIN}])`
    mutating func append(readyAt address: UInt, count: Int) {
        append(" ([")
        var isFirst = true
        for index in 0..<max(0, min(count, TraceBuffer.shownElements)) {
            guard let entry = load(address &+ UInt(index * 8), 8) else { break }
            let events = entry.loadUnaligned(fromByteOffset: 6, as: UInt16.self)
            guard events != 0 else { continue }
            if !isFirst { append(", ") }
            isFirst = false
            append("{fd=")
            append(Int(entry.loadUnaligned(as: Int32.self)))
            append(", revents=")
            append(UInt64(events), flags: .poll)
            append("}")
        }
        append("])")
    }

    /// `[0 3 7]`
    mutating func append(selectSetAt address: UInt, count: Int) {
        guard address != 0 else { return append("NULL") }
        let start = self.count
        append("[")
        var isFirst = true
        var bits: UInt = 0
        for descriptor in 0..<max(0, min(count, 1024)) {
            if descriptor & 63 == 0 {
                guard let word = word(address &+ UInt(descriptor / 8)) else {
                    truncate(to: start)
                    return append(address: address)
                }
                bits = word
            }
            guard bits >> UInt(descriptor & 63) & 1 != 0 else { continue }
            if !isFirst { append(" ") }
            isFirst = false
            append(descriptor)
        }
        append("]")
    }

    /// `[{events=EPOLLIN, data={u32=5, u64=5}}]`
    private mutating func append(epollEventsAt address: UInt, count: Int) {
        append(listAt: address, count: count, stride: 12) { line, position in
            guard let entry = line.load(position, 12) else { return false }
            line.append(epollEvent: Record(bytes: entry))
            return true
        }
    }

    /// How many records getdents64(2) wrote: `0x7f… /* 3 entries */`
    private mutating func append(directoryEntriesAt address: UInt, size: Int) {
        var entries = 0
        var offset = 0
        while offset < size, let record = load(address &+ UInt(offset), 18) {
            let length = Int(record.loadUnaligned(fromByteOffset: 16, as: UInt16.self))
            guard length >= 18 else { break }
            entries += 1
            offset += length
        }
        append(address: address)
        append(" /* ")
        append(entries)
        append(entries == 1 ? " entry */" : " entries */")
    }

    /// `[0 1]`, the processors of an affinity mask.
    private mutating func append(processorsAt address: UInt, size: Int) {
        append(selectSetAt: address, count: min(max(0, size), 128) * 8)
    }
}
