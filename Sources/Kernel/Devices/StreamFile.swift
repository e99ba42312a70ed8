import LaunchRecord
import LinuxABI
import Platform

/// A standard stream of the host as an open file: a terminal, a pipe, a file or a device.
final class StreamFile: OpenFile {
    let stream: Streams.Stream
    let host: HostStream
    /// What one write may pass without blocking the host process once poll(2) said that there is
    /// room: PIPE_BUF. Regular files never block and are not asked.
    private static let chunk = 4096

    override var isSpliceable: Bool { true }

    init(_ stream: Streams.Stream, _ host: HostStream, flags: OpenFlags? = nil) {
        self.stream = stream
        self.host = host
        let flags = flags ?? OpenFlags(rawValue: host.flags & (3 | OpenFlags.append.rawValue))
        let isRegular = FileMode(rawValue: host.mode).isRegular
        super.init(flags: flags, traits: isRegular ? [.writesAll, .seekable] : .writesAll)
    }

    private var isRegular: Bool { FileMode(rawValue: host.mode).isRegular }

    override var waitQueue: Unmanaged<WaitQueue>? {
        isRegular ? nil : .passUnretained(Streams.queue(stream))
    }

    /// As on Linux, where epoll(7) refuses files that are always ready.
    override var isPollable: Bool { !isRegular }

    /// Whoever started the program opened it.
    override var isOpenedByPath: Bool { true }

    override var reportsLevel: Bool { true }

    override func readiness() -> PollEvents {
        guard !isRegular else { return [.allReadable, .allWritable] }
        var events: PollEvents = []
        if flags.isReadable { events.formUnion([.allReadable, .readHangUp]) }
        if flags.isWritable { events.formUnion(.allWritable) }
        return Streams.readiness(stream, events)
    }

    override func read(_ transfer: inout Transfer, at position: inout Int) throws(Errno) -> Int {
        defer { EpollFile.looked(at: self) }
        if isTerminal { try StandardStreams.terminal?.requireForeground(.terminalInput) }
        if !isRegular { try require([.readable, .hangUp, .error]) }
        let number = stream.number
        return try transfer.withPlatformSegments(limit: .max) {
            machine.pointee.stream_read(number, $0, $1)
        }
    }

    override func write(_ transfer: inout Transfer, at position: inout Int) throws(Errno) -> Int {
        defer { EpollFile.looked(at: self) }
        if !isRegular { try require([.writable, .hangUp, .error]) }
        let number = stream.number
        do throws(Errno) {
            return try transfer.withPlatformSegments(limit: isRegular ? .max : StreamFile.chunk) {
                machine.pointee.stream_write(number, $0, $1)
            }
        } catch {
            if error == .brokenPipe { Signals.raiseBrokenPipe() }
            throw error
        }
    }

    override func readDeadline(since start: Nanoseconds) -> Nanoseconds {
        terminalDeadline(since: start)
    }

    override func readPositioned(_ transfer: inout Transfer, at position: inout Int)
        throws(Errno) -> Int
    {
        try positioned(&position) { (position) throws(Errno) in
            try read(&transfer, at: &position)
        }
    }

    override func writePositioned(_ transfer: inout Transfer, at position: inout Int)
        throws(Errno) -> Int
    {
        try positioned(&position) { (position) throws(Errno) in
            try write(&transfer, at: &position)
        }
    }

    /// Calls `body` with the host's position, which others of the host may share, moved to
    /// `position` for its time.
    private func positioned(
        _ position: inout Int,
        _ body: (inout Int) throws(Errno) -> Int
    ) throws(Errno) -> Int {
        let before = try currentPosition()
        try setCurrentPosition(position)
        defer { try? setCurrentPosition(before) }
        let count = try body(&position)
        position += count
        return count
    }

    override func currentPosition() throws(Errno) -> Int { try seek(0, .current) }

    override func setCurrentPosition(_ position: Int) throws(Errno) {
        _ = try seek(position, .start)
    }

    private func require(_ events: PollEvents) throws(Errno) {
        guard !Streams.readiness(stream, events).isDisjoint(with: events) else {
            throw .wouldBlock
        }
    }

    override func seek(_ offset: Int, _ origin: SeekOrigin) throws(Errno) -> Int {
        var whence = UInt8(truncatingIfNeeded: origin.rawValue)
        return try withUnsafeMutableBytes(of: &whence) { (payload) throws(Errno) in
            try HostControl.ask(
                .seek,
                stream,
                UInt64(bitPattern: Int64(offset)),
                payload: payload
            )
        }
    }

    override func truncate(to size: Int) throws(Errno) {
        guard isRegular else { throw .invalidArgument }
        _ = try HostControl.ask(.truncate, stream, UInt64(size))
    }

    override func synchronize() throws(Errno) {
        guard isRegular else { throw .invalidArgument }
        _ = try HostControl.ask(.synchronize, stream)
    }

    override func fill(_ status: inout FileStatus) throws(Errno) {
        if isTerminal, let console = StandardStreams.console { return try console.fill(&status) }
        status.device = isRegular ? AnonymousFiles.hostDevice : AnonymousFiles.device
        status.inode = host.inode
        status.mode = host.mode
        status.specialDevice = host.device
        status.blockSize = isRegular ? 4096 : 1024
        status.size = isRegular ? try currentSize() : 0
        status.blocks = (status.size + 511) / 512
    }

    private func currentSize() throws(Errno) -> Int64 {
        var record = InlineArray<4, UInt64>(repeating: 0)
        try withUnsafeMutableBytes(of: &record) { (payload) throws(Errno) in
            _ = try HostControl.ask(.status, stream, payload: payload)
        }
        return Int64(clamping: record[3])
    }

    override func describe(into text: inout TextBuffer) {
        switch FileMode(rawValue: host.mode).kind {
        case .pipe: text.append("pipe:[")
        case .socket: text.append("socket:[")
        case .characterDevice where isTerminal: return text.append("/dev/console")
        case .characterDevice where host.device == deviceNumber(1, 3):
            return text.append("/dev/null")
        default: text.append("host:[")
        }
        text.append(host.inode)
        text.append("]")
    }

    override func control(_ request: UInt32, _ argument: UInt) throws(Errno) -> Int {
        if isTerminal, let terminal = StandardStreams.terminal {
            let answer = try terminal.control(
                request,
                argument,
                isMaster: false,
                isReadable: flags.isReadable
            )
            if let answer { return answer }
            if ControlRequest.changesTerminal(request) {
                try terminal.requireForeground(.terminalOutput)
            }
        }
        guard let shape = ControlRequest.terminalShape(request),
            mayKnowTerminals || request == ControlRequest.readableBytes
        else { throw .notTerminal }
        return try passOn(request, shape, argument)
    }
}

extension StreamFile {
    /// The deadline of a terminal's VTIME with VMIN 0, as termios(3) has it: the host's poll(2)
    /// does not know it.
    func terminalDeadline(since start: Nanoseconds) -> Nanoseconds {
        guard isTerminal else { return .never }
        var modes = InlineArray<5, UInt64>(repeating: 0)
        return withUnsafeMutableBytes(of: &modes) { bytes in
            // A `struct termios`: c_lflag at 12, c_cc from 17 with VTIME 5 and VMIN 6.
            let record = UnsafeMutableRawBufferPointer(rebasing: bytes[..<36])
            let request = UInt64(ControlRequest.getTerminal)
            guard
                (try? HostControl.ask(.inputOutputControl, stream, request, payload: record))
                    != nil
            else { return .never }
            let isCanonical = record.load(fromByteOffset: 12, as: UInt32.self) & 2 != 0
            guard !isCanonical, record[17 + 6] == 0 else { return .never }
            return start &+ Nanoseconds(record[17 + 5]) * 100 * .millisecond
        }
    }

    var isTerminal: Bool {
        guard FileMode(rawValue: host.mode).isKind(.characterDevice) else { return false }
        let major = deviceMajor(host.device)
        return major == 136 || major == 4 || major == 5 || (major >= 137 && major <= 143)
    }

    /// Whether the host may answer what terminals are asked. What is none for certain need not be
    /// asked, which every program does that writes to its standard output.
    private var mayKnowTerminals: Bool {
        let mode = FileMode(rawValue: host.mode)
        let memoryDevices: UInt32 = 1  // null, zero, full, random
        if mode.isKind(.characterDevice) { return deviceMajor(host.device) != memoryDevices }
        // SIOCOUTQ has a terminal request's number.
        return mode.isKind(.socket)
    }

    /// Asks the host's terminal; it refuses with ENOTTY what is none.
    private func passOn(_ request: UInt32, _ shape: ControlRequest.Shape, _ argument: UInt)
        throws(Errno) -> Int
    {
        var payload = InlineArray<13, UInt64>(repeating: 0)
        return try withUnsafeMutableBytes(of: &payload) { (bytes) throws(Errno) in
            switch shape {
            case .number:
                bytes.storeBytes(of: UInt64(argument), as: UInt64.self)
                return try askTerminal(
                    request,
                    UnsafeMutableRawBufferPointer(rebasing: bytes[..<8])
                )
            case .reads(let size):
                let structure = UnsafeMutableRawBufferPointer(rebasing: bytes[..<size])
                try UserMemory.read(structure, at: argument)
                return try askTerminal(request, structure)
            case .writes(let size):
                let structure = UnsafeMutableRawBufferPointer(rebasing: bytes[..<size])
                let result = try askTerminal(request, structure)
                try UserMemory.write(UnsafeRawBufferPointer(structure), at: argument)
                return result
            }
        }
    }

    /// Asks for a terminal request. One that changes the terminal from the background sends
    /// SIGTTOU and is begun anew, unless the thread does not want to know: termios(3).
    private func askTerminal(_ request: UInt32, _ payload: UnsafeMutableRawBufferPointer)
        throws(Errno) -> Int
    {
        let thread = Thread.current
        let signal = Signal.terminalOutput
        let isAllowed =
            thread.signals.mask.contains(signal) || thread.process.signals.isIgnored(signal)
        let argument = UInt64(request) | (isAllowed ? ControlMessage.backgroundAllowed : 0)
        do throws(Errno) {
            return try HostControl.ask(.inputOutputControl, stream, argument, payload: payload)
        } catch {
            guard Int64(error.rawValue) == -ControlMessage.stopsInBackground else { throw error }
            try? Signals.kill(0, signal)
            thread.signals.interruptedWait = true
            throw .interrupted
        }
    }
}
