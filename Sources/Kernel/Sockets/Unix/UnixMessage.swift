import LinuxABI

/// A message, or a piece of a stream, between two sockets: a header, and the bytes behind it in the
/// same block of memory. In a listening socket's queue it is a connection that waits.
struct UnixMessage {
    var next: UnsafeMutablePointer<UnixMessage>?
    /// Where the bytes begin that nobody has read, and how many there are.
    var start: UInt32
    var count: UInt32
    /// What it takes of the sender's SO_SNDBUF.
    var charge: UInt32
    var credentials: SocketCredentials
    /// Owned.
    var rights: Unmanaged<Rights>?
    /// Who sent it, or the end of the connection that waits; owned. Nil in a stream, whose pieces are
    /// all the peer's.
    var socket: Unmanaged<UnixSocket>?

    typealias Pointer = UnsafeMutablePointer<UnixMessage>

    /// Throws `noBufferSpace`.
    @inline(__always)
    static func make(_ count: Int, charge: Int) throws(Errno) -> Pointer {
        let memory: UnsafeMutableRawPointer
        do throws(Errno) {
            memory = try KernelBuffer.allocate(MemoryLayout<UnixMessage>.stride &+ count)
        } catch { throw .noBufferSpace }
        let message = memory.bindMemory(to: UnixMessage.self, capacity: 1)
        message.initialize(
            to: UnixMessage(
                next: nil,
                start: 0,
                count: UInt32(truncatingIfNeeded: count),
                charge: UInt32(truncatingIfNeeded: charge),
                credentials: .none,
                rights: nil,
                socket: nil
            )
        )
        return message
    }

    /// What Linux charges for a message: its `sk_buff` and what the bytes lie in, of which `linear` at
    /// most are in one piece and the others in pages.
    @inline(__always)
    static func charge(_ count: Int, linear: Int) -> Int {
        if count <= 192 { return 768 }
        return largeCharge(count, linear)
    }

    private static func largeCharge(_ count: Int, _ linear: Int) -> Int {
        let beyond = min(max(count - linear, 0), mostPages)
        let pages = (beyond + pageSize - 1) & ~(pageSize - 1)
        let head = count - min(pages, count)
        // 320 bytes for the pieces, 256 for what describes it; blocks are powers of two.
        var block = 512
        while block < (head + 63) & ~63 + 320 { block *= 2 }
        return 256 + block + pages
    }

    /// What of a stream is one piece, and lies in one piece of memory on Linux.
    static let largestPiece = linearPiece + 32_768
    static let linearPiece = 3776
    /// MAX_SKB_FRAGS pages
    private static let mostPages = 17 * pageSize
    /// What of a datagram lies in one piece of memory.
    static let linearDatagram = 16_064
}

extension UnsafeMutablePointer where Pointee == UnixMessage {
    /// The bytes that nobody has read.
    @inline(__always)
    var bytes: UnsafeMutableRawPointer {
        UnsafeMutableRawPointer(self) + (MemoryLayout<UnixMessage>.stride &+ Int(pointee.start))
    }

    /// Frees the message and what goes with it.
    @inline(__always)
    func free() {
        if let rights = pointee.rights { Rights.bury(rights) }
        pointee.socket?.release()
        KernelBuffer.free(self)
    }
}

/// Messages in the order in which they came.
struct UnixMessageQueue {
    private(set) var first: UnixMessage.Pointer?
    private var last: UnixMessage.Pointer?
    private(set) var count = 0

    @inline(__always)
    mutating func append(_ message: UnixMessage.Pointer) {
        if let last { last.pointee.next = message } else { first = message }
        last = message
        count &+= 1
    }

    /// Takes the first out; the caller owns it.
    @inline(__always)
    mutating func takeFirst() -> UnixMessage.Pointer? {
        guard let message = first else { return nil }
        first = message.pointee.next
        if first == nil { last = nil }
        message.pointee.next = nil
        count &-= 1
        return message
    }

    /// Takes out one that is behind `previous`, or the first.
    mutating func take(_ message: UnixMessage.Pointer, after previous: UnixMessage.Pointer?) {
        guard let previous else {
            _ = takeFirst()
            return
        }
        previous.pointee.next = message.pointee.next
        if last == message { last = previous }
        message.pointee.next = nil
        count &-= 1
    }

    func forEach(_ body: (UnixMessage.Pointer) -> Void) {
        var cursor = first
        while let message = cursor {
            cursor = message.pointee.next
            body(message)
        }
    }

    /// Bytes that nobody has read.
    var byteCount: Int {
        var sum = 0
        forEach { sum += Int($0.pointee.count) }
        return sum
    }
}
