import LinuxABI

/// The end that asks: one request at a time, each waited for.
///
/// Files of the server are numbers that the client gives out (fids). What a call answers as bytes is lent
/// until the next one.
public final class Client {
    /// Sends the request in the room and waits for its answer: its length, or a negated errno.
    public typealias Exchange = (UInt32, UnsafeMutablePointer<UnsafeRawPointer?>) -> Int64

    public let server: UInt32
    private let request: UnsafeMutableRawPointer
    private let exchange: Exchange
    /// Bytes of the largest message that both sides take.
    public private(set) var messageLimit: Int
    /// How often something was asked.
    public private(set) var exchanges: UInt64 = 0

    /// Nothing is forgotten one by one any more.
    private var isClosed = false
    private var lastFile: UInt32 = 0
    private var released: [UInt32] = []

    /// One request is under way at a time, so one tag will do.
    private static var tag: UInt16 { 0 }

    /// - Parameter request: where requests are written, `limit` bytes.
    private init(
        _ server: UInt32,
        request: UnsafeMutableRawPointer,
        limit: Int,
        exchange: @escaping Exchange
    ) {
        self.server = server
        self.request = request
        self.exchange = exchange
        messageLimit = limit
    }

    /// Begins to talk to a server, which forgets what it was asked before. Throws `notSupported` when it
    /// speaks another language.
    public static func connect(
        _ server: UInt32,
        request: UnsafeMutableRawPointer,
        limit: Int,
        exchange: @escaping Exchange
    ) throws(Errno) -> Client {
        let client = Client(server, request: request, limit: limit, exchange: exchange)
        try client.agree()
        return client
    }

    /// Tversion: the language, and how long messages may be.
    private func agree() throws(Errno) {
        var writer = begin(.version, tag: Protocol9P.noTag)
        writer.put32(UInt32(messageLimit))
        writer.put(Protocol9P.name)
        var answer = try ask(&writer)
        let told = Int(try answer.take32())
        guard try answer.takes(Protocol9P.name), told >= Protocol9P.leastMessage else {
            throw .notSupported
        }
        messageLimit = min(told, messageLimit)
    }

    /// Ends: the server forgets all numbers at once.
    public func close() {
        isClosed = true
        try? agree()
    }

    /// The most that one `read` answers, in bytes.
    public var readLimit: Int { messageLimit - Protocol9P.readHeaderSize }

    // MARK: Asking

    func begin(_ type: MessageType, tag: UInt16 = Client.tag) -> MessageWriter {
        MessageWriter(
            UnsafeMutableRawBufferPointer(start: request, count: messageLimit),
            type.rawValue,
            tag: tag
        )
    }

    func begin(_ type: MessageType, _ file: UInt32) -> MessageWriter {
        var writer = begin(type)
        writer.put32(file)
        return writer
    }

    /// Makes the request; what comes behind the head of its answer. Throws what the server says of it.
    @discardableResult
    func ask(_ writer: inout MessageWriter) throws(Errno) -> MessageReader {
        guard !writer.isTooLong else { throw .argumentListTooLong }
        writer.finish()
        exchanges &+= 1
        var bytes: UnsafeRawPointer?
        let length = exchange(server, &bytes)
        guard length >= Int64(Protocol9P.headerSize), length <= Int64(messageLimit), let bytes
        else {
            throw .inputOutputError
        }
        var answer = MessageReader(UnsafeRawBufferPointer(start: bytes, count: Int(length)))
        _ = try answer.take32()
        let type = try answer.take8()
        _ = try answer.take16()
        guard type == MessageType.failure else { return answer }
        let error = try answer.take32()
        throw (1...4095).contains(error) ? Errno(rawValue: UInt16(error)) : .inputOutputError
    }

    private func newFile() -> UInt32 {
        if let file = released.popLast() { return file }
        lastFile &+= 1
        return lastFile
    }

    // MARK: Files

    /// Tattach: the server's folder.
    public func attach(user: UInt32) throws(Errno) -> (file: UInt32, identity: FileIdentity) {
        let file = newFile()
        var writer = begin(.attach, file)
        writer.put32(Protocol9P.noFile)
        writer.put("")
        writer.put("")
        writer.put32(user)
        do throws(Errno) {
            var answer = try ask(&writer)
            return (file, try answer.takeIdentity())
        } catch {
            released.append(file)
            throw error
        }
    }

    /// Twalk: what has a name in a directory.
    public func walk(_ directory: UInt32, to name: UnsafeRawBufferPointer)
        throws(Errno) -> (file: UInt32, identity: FileIdentity)
    {
        let file = newFile()
        var writer = begin(.walk, directory)
        writer.put32(file)
        writer.put16(1)
        writer.put(name)
        do throws(Errno) {
            var answer = try ask(&writer)
            guard try answer.take16() == 1 else { throw .noSuchFileOrDirectory }
            return (file, try answer.takeIdentity())
        } catch {
            released.append(file)
            throw error
        }
    }

    /// Twalk without names: another number for a file, which can be opened apart.
    public func duplicate(_ original: UInt32) throws(Errno) -> UInt32 {
        let file = newFile()
        var writer = begin(.walk, original)
        writer.put32(file)
        writer.put16(0)
        do throws(Errno) { try ask(&writer) } catch {
            released.append(file)
            throw error
        }
        return file
    }

    /// Tclunk: the number stands for nothing any more, whatever the server says.
    public func forget(_ file: UInt32) {
        guard !isClosed else { return }
        var writer = begin(.clunk, file)
        _ = try? ask(&writer)
        released.append(file)
    }

    /// Tlopen, for a number of its own.
    public func open(_ original: UInt32, _ flags: OpenFlags) throws(Errno) -> UInt32 {
        let file = try duplicate(original)
        var writer = begin(.open, file)
        writer.put32(flags.rawValue)
        do throws(Errno) { try ask(&writer) } catch {
            forget(file)
            throw error
        }
        return file
    }

    /// Tlcreate: a new file, opened.
    public func create(
        _ name: UnsafeRawBufferPointer,
        in directory: UInt32,
        _ flags: OpenFlags,
        mode: UInt32,
        group: UInt32
    ) throws(Errno) -> UInt32 {
        let file = try duplicate(directory)
        var writer = begin(.create, file)
        writer.put(name)
        writer.put32(flags.rawValue)
        writer.put32(mode)
        writer.put32(group)
        do throws(Errno) { try ask(&writer) } catch {
            forget(file)
            throw error
        }
        return file
    }

    // MARK: Contents

    /// Tread: at most `count` bytes, and as fit into a message.
    public func read(_ file: UInt32, at offset: UInt64, _ count: Int)
        throws(Errno) -> UnsafeRawBufferPointer
    {
        let wanted = min(count, readLimit)
        return try readData(.read, file, offset, wanted)
    }

    /// Treaddir: `DirectoryRecord`s.
    public func readDirectory(_ file: UInt32, at offset: UInt64, _ count: Int)
        throws(Errno) -> UnsafeRawBufferPointer
    {
        let wanted = min(count, readLimit)
        return try readData(.readDirectory, file, offset, wanted)
    }

    private func readData(_ type: MessageType, _ file: UInt32, _ offset: UInt64, _ count: Int)
        throws(Errno) -> UnsafeRawBufferPointer
    {
        var writer = begin(type, file)
        writer.put64(offset)
        writer.put32(UInt32(count))
        var answer = try ask(&writer)
        let told = Int(try answer.take32())
        guard told <= count else { throw .inputOutputError }
        return try answer.takeBytes(told)
    }

    /// Where the data of a Twrite are to be put before `write` is called.
    public var writeRoom: UnsafeMutableRawBufferPointer {
        UnsafeMutableRawBufferPointer(
            start: request + Protocol9P.writeHeaderSize,
            count: messageLimit - Protocol9P.writeHeaderSize
        )
    }

    /// Twrite of the first `count` bytes of `writeRoom`; how many were written.
    public func write(_ file: UInt32, at offset: UInt64, _ count: Int) throws(Errno) -> Int {
        var writer = begin(.write, file)
        writer.put64(offset)
        writer.put32(UInt32(count))
        writer.advance(count)
        var answer = try ask(&writer)
        let told = Int(try answer.take32())
        guard told <= count else { throw .inputOutputError }
        return told
    }

    /// Tfsync: what was written is on the server's disk.
    public func synchronize(_ file: UInt32) throws(Errno) {
        var writer = begin(.synchronize, file)
        writer.put32(0)
        try ask(&writer)
    }
}
