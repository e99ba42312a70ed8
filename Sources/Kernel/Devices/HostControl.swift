import LaunchRecord
import LinuxABI
import Platform

/// Asks `unirun` for what only the owner of a host descriptor can do: see `ControlMessage`.
///
/// A request is synchronous: `unirun` answers at once, and nothing else runs meanwhile.
public enum HostControl {
    /// Tells `unirun` sites of the program, for its next run. Best effort: nothing hangs on it.
    public static func tell(_ sites: inout KnownSiteList) {
        let count = sites.count
        guard count > 0 else { return }
        withUnsafeMutableBytes(of: &sites.words) { words in
            let payload = UnsafeMutableRawBufferPointer(
                rebasing: words[..<(count * KnownSite.encodedSize)]
            )
            _ = try? ask(.knownSites, .input, UInt64(count), payload: payload)
        }
        sites.removeAll()
    }

    /// Sends a request about a stream. `payload`, at most `ControlMessage.payloadSize` bytes, is
    /// sent along and holds the answer's afterwards.
    static func ask(
        _ operation: ControlMessage.Operation,
        _ stream: Streams.Stream,
        _ argument: UInt64 = 0,
        payload: UnsafeMutableRawBufferPointer = UnsafeMutableRawBufferPointer(start: nil, count: 0)
    ) throws(Errno) -> Int {
        guard payload.count <= ControlMessage.payloadSize else { throw .invalidArgument }
        var message = InlineArray<16, UInt64>(repeating: 0)
        var answer: Int64 = 0
        let isComplete = withUnsafeMutableBytes(of: &message) { bytes in
            bytes.storeBytes(of: operation.rawValue, as: UInt32.self)
            bytes.storeBytes(of: stream.number, toByteOffset: 4, as: Int32.self)
            bytes.storeBytes(of: argument, toByteOffset: 8, as: UInt64.self)
            let room = UnsafeMutableRawBufferPointer(
                rebasing: bytes[ControlMessage.payloadOffset..<ControlMessage.encodedSize]
            )
            room.copyMemory(from: UnsafeRawBufferPointer(payload))
            guard exchange(bytes) else { return false }
            answer = bytes.load(fromByteOffset: 16, as: Int64.self)
            payload.copyMemory(from: UnsafeRawBufferPointer(rebasing: room[..<payload.count]))
            return bytes.load(as: UInt32.self) == operation.rawValue
        }
        guard isComplete else { throw .inputOutputError }
        guard answer >= -4095 else { throw .inputOutputError }
        return try checked(answer)
    }

    private static func exchange(_ message: UnsafeMutableRawBufferPointer) -> Bool {
        let control = Int32(PLATFORM_STREAM_CONTROL.rawValue)
        return pass(message) { machine.pointee.stream_write(control, $0, 1) }
            && pass(message) { machine.pointee.stream_read(control, $0, 1) }
    }

    private static func pass(
        _ message: UnsafeMutableRawBufferPointer,
        _ operation: (UnsafePointer<platform_segment>) -> Int64
    ) -> Bool {
        var done = 0
        while done < message.count {
            var segment = platform_segment(
                base: message.baseAddress! + done,
                length: UInt64(message.count - done)
            )
            let count = operation(&segment)
            if count == -Int64(Errno.interrupted.rawValue) { continue }
            guard count > 0, count <= Int64(message.count - done) else { return false }
            done += Int(count)
        }
        return true
    }
}

/// As many sites as one message holds.
public struct KnownSiteList {
    fileprivate var words = InlineArray<13, UInt64>(repeating: 0)
    public private(set) var count = 0

    public init() {}

    public var isFull: Bool { count == words.count }

    public mutating func append(_ site: KnownSite) {
        words[count] = site.word
        count += 1
    }

    fileprivate mutating func removeAll() { count = 0 }
}
