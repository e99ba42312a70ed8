import Glibc
import LaunchRecord

/// `unirun`'s end of `MachineLink`: does for the kernel in a machine what a process does for itself.
///
/// The kernel may be in the hands of a hostile program: only the streams that it was given can be
/// named, and no length is believed.
struct MachineLinkServer {
    private let link: Int32
    /// By number of the stream; -1 for none.
    private let streams: [Int32]
    private let core: CoreFile?
    private var control: ControlServer
    private var controlAnswer: [UInt8] = []
    private var received: [UInt8] = []
    /// Events to be told of once.
    private(set) var watched: UInt64 = 0
    /// Text of a kernel that speaks no link any more, until `takeLastWords`.
    private var lastWords: [UInt8]?
    /// What the kernel ended with.
    private(set) var exitStatus: Int32?
    /// What the kernel said since `takeHeard`: nothing, only that it is there, or more.
    private var heard = Heard.nothing

    enum Heard { case nothing, answer, request }

    init(link: Int32, streams: [Int32], core: CoreFile?, control: ControlServer) {
        self.core = core
        self.link = link
        self.streams = streams
        self.control = control
    }

    func restoreTerminal() { control.terminal.restore() }

    var knownSites: [KnownSite] { control.knownSites }

    // MARK: Requests

    /// Takes what the kernel sent; false when the link has ended or is not understood.
    mutating func serve() -> Bool {
        var bytes = [UInt8](repeating: 0, count: MachineLink.payloadLimit)
        let count = recv(link, &bytes, bytes.count, Int32(MSG_DONTWAIT))
        if count < 0 && (errno == EAGAIN || errno == EINTR) { return true }
        guard count > 0 else { return false }
        guard lastWords == nil else {
            lastWords! += bytes[..<count]
            heard = .request
            return true
        }
        received += bytes[..<count]
        while exitStatus == nil, lastWords == nil {
            guard let isUnderstood = takeRequest() else { return true }
            guard isUnderstood else { return false }
        }
        return true
    }

    /// Does the first request of what was received; nil when it is not whole yet.
    private mutating func takeRequest() -> Bool? {
        if received.starts(with: Self.lastWordsBegin) {
            lastWords = received
            return true
        }
        guard received.count >= MachineLink.headerSize else { return nil }
        let (kind, stream, argument) = received.withUnsafeBytes {
            (
                MachineLink.Request(rawValue: $0.loadUnaligned(as: UInt32.self)),
                $0.loadUnaligned(fromByteOffset: 4, as: Int32.self),
                $0.loadUnaligned(fromByteOffset: 8, as: UInt64.self)
            )
        }
        var length = MachineLink.headerSize
        if kind == .write {
            guard argument <= MachineLink.payloadLimit else { return false }
            length += Int(argument)
        }
        guard received.count >= length else { return nil }
        let payload = Array(received[MachineLink.headerSize..<length])
        received.removeFirst(length)
        heard = kind == .alive && heard != .request ? .answer : .request
        switch kind {
        case .write: return answer(write(stream, payload))
        case .read:
            let (value, bytes) = read(stream, Int(min(argument, UInt64(MachineLink.payloadLimit))))
            return answer(value, bytes)
        case .poll: return answer(Int64(bitPattern: ready(argument)))
        case .watch: watched = argument
        case .exit: exitStatus = Int32(truncatingIfNeeded: argument & 0xff)
        case .alive: break
        case .lastWords, nil: return false
        }
        return true
    }

    private static let lastWordsBegin = withUnsafeBytes(
        of: MachineLink.Request.lastWords.rawValue.littleEndian,
        Array.init
    )

    /// What came of them since the last time.
    mutating func takeLastWords() -> [UInt8] {
        guard let words = lastWords else { return [] }
        lastWords = []
        return words
    }

    mutating func takeHeard() -> Heard {
        defer { heard = .nothing }
        return heard
    }

    private func descriptor(_ stream: Int32) -> Int32? {
        guard streams.indices.contains(Int(stream)), streams[Int(stream)] >= 0 else { return nil }
        return streams[Int(stream)]
    }

    private mutating func write(_ stream: Int32, _ payload: [UInt8]) -> Int64 {
        if stream == HostDescriptor.control.rawValue {
            guard payload.count == ControlMessage.encodedSize else { return -Int64(EINVAL) }
            controlAnswer = payload
            controlAnswer.withUnsafeMutableBytes { control.answer($0) }
            return Int64(payload.count)
        }
        if stream == HostDescriptor.core.rawValue, let core {
            return core.take(payload) ? Int64(payload.count) : -Int64(EPIPE)
        }
        guard let descriptor = descriptor(stream) else { return -Int64(EBADF) }
        // The kernel waits for a stream to be ready; who is not may not hold up the others.
        guard ready(MachineLink.writable(stream)) != 0 else { return -Int64(EAGAIN) }
        let count = Glibc.write(descriptor, payload, payload.count)
        return count < 0 ? -Int64(errno) : Int64(count)
    }

    private mutating func read(_ stream: Int32, _ limit: Int) -> (Int64, [UInt8]) {
        if stream == HostDescriptor.control.rawValue {
            let bytes = Array(controlAnswer.prefix(limit))
            controlAnswer = []
            return (Int64(bytes.count), bytes)
        }
        guard let descriptor = descriptor(stream) else { return (-Int64(EBADF), []) }
        guard ready(MachineLink.readable(stream)) != 0 else { return (-Int64(EAGAIN), []) }
        var bytes = [UInt8](repeating: 0, count: limit)
        let count = Glibc.read(descriptor, &bytes, limit)
        guard count >= 0 else { return (-Int64(errno), []) }
        return (Int64(count), Array(bytes[..<count]))
    }

    // MARK: Events

    /// Which of a set of events hold now.
    private func ready(_ set: UInt64) -> UInt64 {
        var entries = pollEntries(set)
        guard !entries.isEmpty, poll(&entries.values, nfds_t(entries.values.count), 0) > 0 else {
            return 0
        }
        return entries.holding
    }

    /// What poll(2) is to look at for a set of events.
    func pollEntries(_ set: UInt64) -> PollEntries {
        var entries = PollEntries()
        for stream in Int32(0)..<Int32(streams.count) {
            var events: Int16 = 0
            if set & MachineLink.readable(stream) != 0 { events |= Int16(POLLIN) }
            if set & MachineLink.writable(stream) != 0 { events |= Int16(POLLOUT) }
            guard events != 0, let descriptor = descriptor(stream) else { continue }
            entries.streams.append(stream)
            entries.values.append(pollfd(fd: descriptor, events: events, revents: 0))
        }
        return entries
    }

    /// Tells the kernel which of the watched events hold.
    mutating func tellReady(_ set: UInt64) {
        watched = 0
        _ = send(.ready, Int64(bitPattern: set), [])
    }

    func tellSignal(_ number: Int32) { _ = send(.signal, Int64(number), []) }

    func ping() { _ = send(.ping, 0, []) }

    // MARK: Answers

    private func answer(_ value: Int64, _ payload: [UInt8] = []) -> Bool {
        send(.result, value, payload)
    }

    private func send(_ kind: MachineLink.Answer, _ value: Int64, _ payload: [UInt8]) -> Bool {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(MachineLink.headerSize + payload.count)
        let first = UInt64(kind.rawValue) | UInt64(payload.count) << 32
        withUnsafeBytes(of: first) { bytes += $0 }
        withUnsafeBytes(of: value) { bytes += $0 }
        bytes += payload
        return bytes.withUnsafeBytes { writeAll(link, $0) }
    }
}

/// Descriptors to look at, and the streams that they are.
struct PollEntries {
    var streams: [Int32] = []
    var values: [pollfd] = []

    var isEmpty: Bool { values.isEmpty }

    /// The events that hold, errors and hang-ups as what they make a read or a write do.
    var holding: UInt64 {
        var set: UInt64 = 0
        for (stream, entry) in zip(streams, values) where entry.revents != 0 {
            let isEnd = Int32(entry.revents) & (POLLERR | POLLHUP | POLLNVAL) != 0
            if Int32(entry.revents) & POLLIN != 0 || isEnd { set |= MachineLink.readable(stream) }
            if Int32(entry.revents) & POLLOUT != 0 || isEnd { set |= MachineLink.writable(stream) }
        }
        return set
    }
}
