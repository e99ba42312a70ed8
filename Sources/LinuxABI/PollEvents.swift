/// The events of poll(2) and, in the same bits, of epoll(7).
public struct PollEvents: OptionSet, Sendable {
    public let rawValue: UInt32

    @inline(__always)
    public init(rawValue: UInt32) { self.rawValue = rawValue }

    /// POLLIN
    public static var readable: PollEvents { PollEvents(rawValue: 0x001) }
    /// POLLPRI
    public static var priority: PollEvents { PollEvents(rawValue: 0x002) }
    /// POLLOUT
    public static var writable: PollEvents { PollEvents(rawValue: 0x004) }
    /// POLLERR
    public static var error: PollEvents { PollEvents(rawValue: 0x008) }
    /// POLLHUP
    public static var hangUp: PollEvents { PollEvents(rawValue: 0x010) }
    /// POLLNVAL
    public static var invalid: PollEvents { PollEvents(rawValue: 0x020) }
    /// POLLRDNORM
    public static var readNormal: PollEvents { PollEvents(rawValue: 0x040) }
    /// POLLRDBAND
    public static var readBand: PollEvents { PollEvents(rawValue: 0x080) }
    /// POLLWRNORM
    public static var writeNormal: PollEvents { PollEvents(rawValue: 0x100) }
    /// POLLWRBAND
    public static var writeBand: PollEvents { PollEvents(rawValue: 0x200) }
    /// POLLRDHUP
    public static var readHangUp: PollEvents { PollEvents(rawValue: 0x2000) }

    public static var all: PollEvents { PollEvents(rawValue: 0x23ff) }
    /// What an object reports that can be read, and written, at once.
    public static var allReadable: PollEvents { [.readable, .readNormal] }
    public static var allWritable: PollEvents { [.writable, .writeNormal] }
    /// Reported whether or not they were asked for.
    public static var unasked: PollEvents { [.error, .hangUp] }
}
