import LaunchRecord
import Platform
import Virtio

/// The kernel's end of `MachineLink`. Interrupts are off while words are taken, but for the time that
/// one is waited for; between requests the device's interrupt takes what `unirun` says by itself.
enum Link {
    nonisolated(unsafe) private static var console: ConsoleDevice<Transport>? = nil
    /// What an answer brings.
    nonisolated(unsafe) private static var payload: SharedMemory? = nil
    /// Somebody waits for an answer, and takes all that comes.
    nonisolated(unsafe) private static var isAsking = false

    static var isThere: Bool { console != nil }

    /// False when the device cannot be used.
    static func start(_ transport: Transport) -> Bool {
        payload = MachineMemory.reserveShared(MachineLink.payloadLimit)
        let limit = MachineLink.headerSize + MachineLink.payloadLimit
        console = try? ConsoleDevice(transport, sendLimit: limit) {
            MachineMemory.reserveShared($0)
        }
        guard isThere, payload != nil else { return false }
        send(.alive, 0, 0, 0)
        return true
    }

    /// Waits until the device has what was sent, for last words come behind it; not for long, as it
    /// may be the device that is broken.
    static func settle() {
        for _ in 0..<1_000_000 {
            guard let isReady = try? console?.isReadyToSend(), !isReady else { return }
        }
    }

    /// Takes what has come, when nothing is asked.
    static func takeInterrupt() {
        console?.acknowledgeInterrupt()
        if !isAsking { takePending() }
    }

    /// Takes words until there are none: from then on an interrupt tells of the next.
    private static func takePending() {
        while hasReceived { _ = takeWord(nothing, mayHalt: false) }
    }

    // MARK: Requests

    /// Sends a request, whose payload is in `outgoing` already, and waits for its answer; its value.
    static func ask(
        _ request: MachineLink.Request,
        _ stream: Int32 = 0,
        _ argument: UInt64,
        sends payloadSize: Int = 0,
        receive: UnsafeMutableRawBufferPointer = nothing
    ) -> Int64 {
        // On an interrupt stack they are off, and nothing may come there.
        let mayHalt = interrupts_take_off() != 0
        isAsking = true
        defer {
            isAsking = false
            if mayHalt { interrupts_enable() }
        }
        send(request, stream, argument, payloadSize)
        while true {
            guard let value = takeWord(receive, mayHalt: mayHalt) else { continue }
            takePending()
            return value
        }
    }

    /// Sends a request that has no answer, and waits until the device has it. An interrupt may have
    /// one to send as well.
    static func tell(_ request: MachineLink.Request, _ stream: Int32 = 0, _ argument: UInt64) {
        let wereOn = interrupts_take_off() != 0
        send(request, stream, argument, 0)
        _ = outgoing
        if wereOn { interrupts_enable() }
    }

    private static func send(
        _ request: MachineLink.Request,
        _ stream: Int32,
        _ argument: UInt64,
        _ payloadSize: Int
    ) {
        let header = outgoing
        header.storeBytes(of: request.rawValue, as: UInt32.self)
        header.storeBytes(of: stream, toByteOffset: 4, as: Int32.self)
        header.storeBytes(of: argument, toByteOffset: 8, as: UInt64.self)
        console?.send(MachineLink.headerSize + payloadSize)
    }

    /// Where the next request is written, once the device has the last one.
    private static var outgoing: UnsafeMutableRawBufferPointer {
        do throws(QueueFault) {
            while try console?.isReadyToSend() == false {}
        } catch { dieOfDevice() }
        return console?.outgoing ?? nothing
    }

    // MARK: Words of unirun

    private static var nothing: UnsafeMutableRawBufferPointer {
        UnsafeMutableRawBufferPointer(start: nil, count: 0)
    }

    /// Takes one word; the value of an answer, nil for another word.
    private static func takeWord(_ receive: UnsafeMutableRawBufferPointer, mayHalt: Bool) -> Int64?
    {
        var header = InlineArray<2, UInt64>(repeating: 0)
        withUnsafeMutableBytes(of: &header) { fill($0, mayHalt) }
        let value = Int64(bitPattern: header[1])
        let length = Int(header[0] >> 32)
        guard length <= receive.count else { die("the link to unirun is broken") }
        fill(UnsafeMutableRawBufferPointer(rebasing: receive[..<length]), mayHalt)
        switch MachineLink.Answer(rawValue: UInt32(truncatingIfNeeded: header[0])) {
        case .result: return value
        case .ready:
            MachineStreams.tell(UInt64(bitPattern: value))
        case .signal:
            guard (1...64).contains(value) else { break }
            cpu_add_outside_signals(1 << UInt64(value - 1))
            cpu_set_pending(UInt32(CPU_PENDING_SIGNAL))
        case .ping: send(.alive, 0, 0, 0)
        case nil: die("the link to unirun is broken")
        }
        return nil
    }

    private static func fill(_ target: UnsafeMutableRawBufferPointer, _ mayHalt: Bool) {
        var done = 0
        while done < target.count {
            let rest = UnsafeMutableRawBufferPointer(rebasing: target[done...])
            done += receive(into: rest)
            guard done < target.count, !hasReceived, mayHalt else { continue }
            halt()
            interrupts_disable()
        }
    }

    private static func receive(into target: UnsafeMutableRawBufferPointer) -> Int {
        do throws(QueueFault) { return try console?.receive(into: target) ?? 0 } catch {
            dieOfDevice()
        }
    }

    private static var hasReceived: Bool {
        do throws(QueueFault) { return try console?.hasReceived() ?? false } catch {
            dieOfDevice()
        }
    }

    private static func dieOfDevice() -> Never {
        die("the virtio console did what no device may do")
    }

    // MARK: Streams

    /// As readv(2): what one answer brings.
    static func read(
        _ stream: Int32,
        _ segments: UnsafePointer<platform_segment>,
        _ count: UInt64
    ) -> Int64 {
        guard let segment = MachineStreams.firstUsed(segments, count), let payload else { return 0 }
        let wanted = min(Int(segment.length), MachineLink.payloadLimit)
        let value = ask(.read, stream, UInt64(wanted), receive: payload.bytes)
        guard value > 0 else { return value }
        guard value <= wanted else { die("the link to unirun is broken") }
        return user_copy(segment.base!, payload.pointer, Int(value)) == 0 ? value : -14
    }

    /// As writev(2): as many bytes as one request holds.
    static func write(
        _ stream: Int32,
        _ segments: UnsafePointer<platform_segment>,
        _ count: UInt64
    ) -> Int64 {
        let room = UnsafeMutableRawBufferPointer(rebasing: outgoing[MachineLink.headerSize...])
        var used = 0
        for index in 0..<Int(count) where used < room.count {
            guard let base = segments[index].base else { continue }
            let length = min(Int(segments[index].length), room.count - used)
            guard user_copy(room.baseAddress! + used, base, length) == 0 else {
                if used > 0 { break }
                return -14
            }
            used += length
        }
        return ask(.write, stream, UInt64(used), sends: used)
    }
}
