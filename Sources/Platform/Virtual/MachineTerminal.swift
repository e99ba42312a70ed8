import LaunchRecord
import LinuxABI
import Platform
import Terminal
import Virtio

/// The terminal of a machine whose streams no `unirun` serves: standard input, output and error of the
/// program are a serial port, or a virtio console.
enum MachineTerminal {
    nonisolated(unsafe) static var discipline: LineDiscipline! = nil
    nonisolated(unsafe) static var line: TerminalLine? = nil
    /// `struct winsize`: rows, columns, and two that are of no use.
    nonisolated(unsafe) static var windowSize: UInt64 = 0
    /// Events to be told of once.
    nonisolated(unsafe) private static var watched: UInt64 = 0
    /// What is copied from or to the program.
    nonisolated(unsafe) private static var buffer = UnsafeMutableRawBufferPointer(
        start: nil,
        count: 0
    )

    private static var bufferSize: Int { 4096 }
    private static var typedSize: Int { 4096 }
    private static var outputSize: Int { 8192 }

    // MARK: Starting

    static func start(_ port: SerialPort) {
        start(TerminalLine(port))
    }

    /// False when the device cannot be used.
    static func start(_ transport: Transport) -> Bool {
        guard
            var console = try? ConsoleDevice(
                transport,
                sendLimit: bufferSize,
                { MachineMemory.reserveShared($0) }
            )
        else { return false }
        console.interruptsWhenSent()
        start(TerminalLine(console))
        return true
    }

    /// Interrupts are off.
    private static func start(_ line: TerminalLine) {
        prepare()
        self.line = line
        pump()
        takeWindowSize()
    }

    /// A machine without either has a terminal at which nobody sits.
    static func prepare() {
        discipline = LineDiscipline(
            typed: reserve(typedSize, of: TypedByte.self),
            output: reserve(outputSize, of: UInt8.self)
        )
        let bytes = reserve(bufferSize + ControlMessage.encodedSize, of: UInt8.self)
        buffer = UnsafeMutableRawBufferPointer(bytes)
    }

    private static func reserve<Element>(_ count: Int, of type: Element.Type)
        -> UnsafeMutableBufferPointer<Element>
    {
        guard let memory = MachineMemory.reserveShared(count * MemoryLayout<Element>.stride) else {
            die("too little memory for the machine's terminal")
        }
        return memory.bytes.bindMemory(to: type)
    }

    // MARK: Interrupts

    static func takeInterrupt() {
        // The port has one line for all causes, and says nothing more while one is left.
        for _ in 0..<64 {
            let hasMore = line?.acknowledge() ?? false
            pump()
            takeWindowSize()
            guard hasMore else { break }
        }
        let holding = ready(watched)
        guard holding != 0 else { return }
        watched = 0
        MachineStreams.tell(holding)
    }

    /// Brings bytes from the line and to it, interrupts off. One piece of code: all of the discipline and
    /// of both devices is in it.
    @inline(never)
    private static func pump() {
        guard line != nil else {
            discipline.flushOutput()
            return
        }
        line?.receive(into: &discipline) { raise($0) }
        line?.send(from: &discipline)
    }

    static func raise(_ signal: Signal) {
        cpu_add_outside_signals(1 << UInt64(signal.rawValue - 1))
        cpu_set_pending(UInt32(CPU_PENDING_SIGNAL))
    }

    private static func takeWindowSize() {
        guard let size = line?.windowSize else { return }
        setWindowSize(UInt64(size.rows) | UInt64(size.columns) << 16)
    }

    static func setWindowSize(_ size: UInt64) {
        guard size != windowSize else { return }
        windowSize = size
        raise(.windowChange)
    }

    static func withInterruptsOff<Result>(_ body: () -> Result) -> Result {
        let wereOn = interrupts_take_off() != 0
        defer { if wereOn { interrupts_enable() } }
        return body()
    }

    /// Changes the terminal, and lets the line know.
    static func change(_ body: () -> Void) {
        withInterruptsOff {
            body()
            pump()
        }
    }

    // MARK: Streams

    private static let noSuchStream: Int64 = -9
    private static let wouldBlock: Int64 = -11
    private static let badAddress: Int64 = -14
    static let invalidArgument: Int64 = -22

    private static func isOwn(_ stream: Int32) -> Bool {
        stream >= PLATFORM_STREAM_INPUT.rawValue && stream <= PLATFORM_STREAM_ERROR.rawValue
    }

    /// Those of a set of events that hold.
    private static func ready(_ set: UInt64) -> UInt64 {
        var holding: UInt64 = 0
        for stream in Int32(PLATFORM_STREAM_INPUT.rawValue)...Int32(PLATFORM_STREAM_ERROR.rawValue)
        {
            if discipline.isReadable { holding |= MachineLink.readable(stream) }
            if discipline.isWritable { holding |= MachineLink.writable(stream) }
        }
        return set & holding
    }

    static func poll(_ set: UInt64) -> UInt64 { withInterruptsOff { ready(set) } }

    /// Says once when something of a set holds.
    static func watch(_ set: UInt64) {
        withInterruptsOff {
            let holding = ready(set)
            watched = holding == 0 ? set : 0
            if holding != 0 { MachineStreams.tell(holding) }
        }
    }

    /// As readv(2): what one segment takes.
    static func read(
        _ stream: Int32,
        _ segments: UnsafePointer<platform_segment>,
        _ count: UInt64
    ) -> Int64 {
        transfer(stream, segments, count) { base, bytes in
            let read = withInterruptsOff {
                defer { pump() }
                return discipline.read(into: bytes)
            }
            guard let read else { return wouldBlock }
            return user_copy(base, bytes.baseAddress!, read) == 0 ? Int64(read) : badAddress
        } control: { base, message in
            user_copy(base, message.baseAddress!, message.count) == 0
                ? Int64(message.count) : badAddress
        }
    }

    /// As writev(2): what there is room for.
    static func write(
        _ stream: Int32,
        _ segments: UnsafePointer<platform_segment>,
        _ count: UInt64
    ) -> Int64 {
        transfer(stream, segments, count) { base, bytes in
            guard user_copy(bytes.baseAddress!, base, bytes.count) == 0 else { return badAddress }
            let written = withInterruptsOff {
                defer { pump() }
                return discipline.write(UnsafeRawBufferPointer(bytes))
            }
            return written == 0 ? wouldBlock : Int64(written)
        } control: { base, message in
            guard message.count == controlMessage.count else { return invalidArgument }
            guard user_copy(message.baseAddress!, base, message.count) == 0 else {
                return badAddress
            }
            answerControl(message)
            return Int64(message.count)
        }
    }

    /// Finds what of the first segment is transferred at once, and where it is copied to or from: for one
    /// of the terminal's streams, or for the one of requests.
    private static func transfer(
        _ stream: Int32,
        _ segments: UnsafePointer<platform_segment>,
        _ count: UInt64,
        _ terminal: (UnsafeMutableRawPointer, UnsafeMutableRawBufferPointer) -> Int64,
        control: (UnsafeMutableRawPointer, UnsafeMutableRawBufferPointer) -> Int64
    ) -> Int64 {
        guard let segment = MachineStreams.firstUsed(segments, count), let base = segment.base
        else { return 0 }
        func part(_ bytes: Slice<UnsafeMutableRawBufferPointer>) -> UnsafeMutableRawBufferPointer {
            UnsafeMutableRawBufferPointer(rebasing: bytes.prefix(Int(segment.length)))
        }
        if stream == PLATFORM_STREAM_CONTROL.rawValue {
            return control(base, part(buffer[bufferSize...]))
        }
        guard isOwn(stream) else { return noSuchStream }
        return terminal(base, part(buffer[..<bufferSize]))
    }

    private static var controlMessage: UnsafeMutableRawBufferPointer {
        UnsafeMutableRawBufferPointer(rebasing: buffer[bufferSize...])
    }

    // MARK: The end

    /// Waits until all that was written has left, but not for one who does not take it.
    static func drain(limit: UInt64) {
        let clock = PLATFORM_CLOCK_MONOTONIC.rawValue
        let end = MachineTime.readClock(clock) &+ limit
        // No interrupt tells that the last byte has left.
        let look: UInt64 = 1_000_000
        while line != nil, MachineTime.readClock(clock) < end {
            let isDone = MachineTime.wait(limit: look) {
                pump()
                return discipline.outputCount == 0 && line?.hasSentAll() ?? true
            }
            if isDone { return }
        }
    }

    static func finish() {
        change { discipline.restart() }
        drain(limit: 5_000_000_000)
    }
}
