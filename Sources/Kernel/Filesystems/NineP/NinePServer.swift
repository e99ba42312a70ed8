import LinuxABI
import Platform

/// A server of files outside. So far it is asked who it is and what its folder is; a file system of it
/// will ask more.
public struct NinePServer {
    /// What tells a file from all others of its server (qid).
    public struct Identity: Equatable {
        public var type: UInt8
        public var version: UInt32
        public var path: UInt64
    }

    private let number: UInt32
    private let description: platform_file_server
    /// Bytes of the largest message that both sides take.
    public private(set) var messageLimit: Int

    private static var protocolName: StaticString { "9P2000.L" }
    /// What a file system cannot do without: names, and some data beside the heads.
    private static var leastMessage: Int { 4096 }
    /// Of the handshake, which has none (NOTAG), and of all other requests: one is made at a time.
    private static var noTag: UInt16 { 0xffff }
    private static var tag: UInt16 { 0 }
    /// In the place of a file: none (NOFID).
    private static var noFile: UInt32 { 0xffff_ffff }

    /// Begins to talk to a server. Throws `noSuchDeviceOrAddress` when there is none of that number, and
    /// `notSupported` when it speaks another language.
    public init(_ number: UInt32) throws(Errno) {
        var description = platform_file_server(
            name: UnsafePointer(bitPattern: 1)!,
            name_length: 0,
            request: UnsafeMutableRawPointer(bitPattern: 1)!,
            message_limit: 0
        )
        guard machine.pointee.files_describe(number, &description) >= 0 else {
            throw .noSuchDeviceOrAddress
        }
        self.number = number
        self.description = description
        messageLimit = Int(description.message_limit)
        try agree()
    }

    /// Tversion: the language, and how long messages may be.
    private mutating func agree() throws(Errno) {
        let own = messageLimit
        var answer = try ask(NinePType.version, tag: Self.noTag) { writer in
            writer.put(UInt32(own))
            writer.put(Self.protocolName)
        }
        let told = Int(try answer.take(UInt32.self))
        guard try answer.takes(Self.protocolName), told >= Self.leastMessage else {
            throw .notSupported
        }
        messageLimit = min(told, own)
    }

    /// Tattach: `file` stands for the server's folder from now on; what that is.
    public func attach(_ file: UInt32, user: UInt32) throws(Errno) -> Identity {
        var answer = try ask(NinePType.attach, tag: Self.tag) { writer in
            writer.put(file)
            writer.put(Self.noFile)
            writer.put("")
            writer.put("")
            writer.put(user)
        }
        return Identity(
            type: try answer.take(UInt8.self),
            version: try answer.take(UInt32.self),
            path: try answer.take(UInt64.self)
        )
    }

    /// Tclunk: `file` stands for nothing any more.
    public func forget(_ file: UInt32) throws(Errno) {
        _ = try ask(NinePType.clunk, tag: Self.tag) { $0.put(file) }
    }

    /// Makes a request; what comes behind the head of its answer. Throws what the server says of it.
    private func ask(_ type: UInt8, tag: UInt16, _ write: (inout NinePWriter) -> Void)
        throws(Errno) -> NinePReader
    {
        let room = UnsafeMutableRawBufferPointer(start: description.request, count: messageLimit)
        var writer = NinePWriter(room, type, tag: tag)
        write(&writer)
        guard !writer.isTooLong else { throw .argumentListTooLong }
        writer.finish()
        var bytes: UnsafeRawPointer?
        let length = try checked(machine.pointee.files_ask(number, &bytes))
        var answer = NinePReader(UnsafeRawBufferPointer(start: bytes, count: length))
        _ = try answer.take(UInt32.self)
        let kind = try answer.take(UInt8.self)
        _ = try answer.take(UInt16.self)
        guard kind == NinePType.failure else { return answer }
        let error = try answer.take(UInt32.self)
        throw (1...4095).contains(error)
            ? Errno(rawValue: UInt16(error)) : .inputOutputError
    }
}
