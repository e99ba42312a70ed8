import LaunchRecord
import Platform

/// The kernel's end of `MachineLink`. Interrupts are off while a request is under way; between
/// requests the port's interrupt takes what `unirun` says by itself.
enum Link {
    private static var port: SerialPort { .link }

    /// Events that `unirun` said hold, and nobody has asked for since.
    nonisolated(unsafe) static var ready: UInt64 = 0
    nonisolated(unsafe) private static var payload = InlineArray<4096, UInt8>(repeating: 0)

    static func start() {
        port.start()
        InterruptController.route(SerialPort.linkInterrupt, to: InterruptController.linkVector)
    }

    // MARK: Requests

    /// Sends a request and waits for its answer; its value.
    static func ask(
        _ request: MachineLink.Request,
        _ stream: Int32 = 0,
        _ argument: UInt64,
        send: UnsafeRawBufferPointer = UnsafeRawBufferPointer(start: nil, count: 0),
        receive: UnsafeMutableRawBufferPointer = UnsafeMutableRawBufferPointer(start: nil, count: 0)
    ) -> Int64 {
        interrupts_disable()
        defer { interrupts_enable() }
        tell(request, stream, argument)
        for byte in send { port.write(byte) }
        while true {
            if let value = takeWord(receive) { return value }
        }
    }

    /// Sends a request that has no answer.
    static func tell(_ request: MachineLink.Request, _ stream: Int32 = 0, _ argument: UInt64) {
        write(UInt64(request.rawValue) | UInt64(UInt32(bitPattern: stream)) << 32)
        write(argument)
    }

    private static func write(_ word: UInt64) {
        for index in 0..<8 { port.write(UInt8(truncatingIfNeeded: word >> UInt64(8 * index))) }
    }

    // MARK: Words of unirun

    /// Takes what has come, when nothing is asked.
    static func takePending() {
        while port.hasByte { _ = takeWord(UnsafeMutableRawBufferPointer(start: nil, count: 0)) }
    }

    /// Takes one word; the value of an answer, nil for another word.
    private static func takeWord(_ receive: UnsafeMutableRawBufferPointer) -> Int64? {
        let first = read()
        let value = Int64(bitPattern: read())
        let length = Int(first >> 32)
        for index in 0..<length {
            let byte = readByte()
            if index < receive.count { receive[index] = byte }
        }
        switch MachineLink.Answer(rawValue: UInt32(truncatingIfNeeded: first)) {
        case .result: return value
        case .ready:
            ready |= UInt64(bitPattern: value)
            cpu_set_pending(UInt32(CPU_PENDING_TIMER))
        case .signal:
            guard (1...64).contains(value) else { break }
            cpu_add_outside_signals(1 << UInt64(value - 1))
            cpu_set_pending(UInt32(CPU_PENDING_SIGNAL))
        case nil: die("the link to unirun is broken")
        }
        return nil
    }

    private static func read() -> UInt64 {
        var word: UInt64 = 0
        for index in 0..<8 { word |= UInt64(readByte()) << UInt64(8 * index) }
        return word
    }

    private static func readByte() -> UInt8 {
        while !port.hasByte {}
        return port.read()
    }

    // MARK: Streams

    /// As readv(2): what one answer brings.
    static func read(
        _ stream: Int32,
        _ segments: UnsafePointer<platform_segment>,
        _ count: UInt64
    ) -> Int64 {
        guard let segment = firstUsed(segments, count) else { return 0 }
        let wanted = min(Int(segment.length), MachineLink.payloadLimit)
        return withPayload { payload in
            let value = ask(.read, stream, UInt64(wanted), receive: payload)
            guard value > 0 else { return value }
            let missing = user_copy(segment.base!, payload.baseAddress!, Int(value))
            return missing == 0 ? value : -14
        }
    }

    /// As writev(2): as many bytes as one request holds.
    static func write(
        _ stream: Int32,
        _ segments: UnsafePointer<platform_segment>,
        _ count: UInt64
    ) -> Int64 {
        withPayload { payload in
            var used = 0
            for index in 0..<Int(count) where used < payload.count {
                guard let base = segments[index].base else { continue }
                let length = min(Int(segments[index].length), payload.count - used)
                guard user_copy(payload.baseAddress! + used, base, length) == 0 else {
                    if used > 0 { break }
                    return -14
                }
                used += length
            }
            let bytes = UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(payload)[..<used])
            return ask(.write, stream, UInt64(used), send: bytes)
        }
    }

    private static func firstUsed(
        _ segments: UnsafePointer<platform_segment>,
        _ count: UInt64
    ) -> platform_segment? {
        for index in 0..<Int(count) where segments[index].length > 0 { return segments[index] }
        return nil
    }

    private static func withPayload(_ body: (UnsafeMutableRawBufferPointer) -> Int64) -> Int64 {
        withUnsafeMutablePointer(to: &payload) { pointer in
            body(UnsafeMutableRawBufferPointer(start: pointer, count: MachineLink.payloadLimit))
        }
    }
}
