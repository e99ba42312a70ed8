import Glibc
import LaunchRecord
import TenderSupport

/// Answers what the kernel asks on its control socket.
///
/// The kernel may be in the hands of a hostile program: nothing but the standard streams can be
/// named here, and nothing but what a program on that terminal may do anyway is done.
public struct ControlServer {
    var terminal = TerminalGuard()
    /// Sites of the program that were rewritten in this run.
    private(set) var knownSites: [KnownSite] = []
    /// Stops `unirun` by a signal until it is continued; a closure, so that tests need not stop.
    var stopSelf: (Int32) -> Void

    public init(stopSelf: @escaping (Int32) -> Void) { self.stopSelf = stopSelf }

    /// Turns the request in `message` into its answer, in place.
    public mutating func answer(_ message: UnsafeMutableRawBufferPointer) {
        precondition(message.count == ControlMessage.encodedSize)
        let result = perform(
            operation: message.loadUnaligned(as: UInt32.self),
            descriptor: message.loadUnaligned(fromByteOffset: 4, as: Int32.self),
            argument: message.loadUnaligned(fromByteOffset: 8, as: UInt64.self),
            payload: UnsafeMutableRawBufferPointer(
                rebasing: message[ControlMessage.payloadOffset...]
            )
        )
        message.storeBytes(of: result, toByteOffset: 16, as: Int64.self)
    }

    private mutating func perform(
        operation: UInt32,
        descriptor: Int32,
        argument: UInt64,
        payload: UnsafeMutableRawBufferPointer
    ) -> Int64 {
        guard let operation = ControlMessage.Operation(rawValue: operation) else {
            return -Int64(EPERM)
        }
        if operation == .stop { return stop(argument) }
        if operation == .knownSites { return keepSites(argument, payload) }
        guard StandardStreams.descriptors.contains(descriptor) else { return -Int64(EPERM) }
        switch operation {
        case .inputOutputControl: return terminal.control(descriptor, argument, payload)
        case .seek: return seek(descriptor, argument, payload[0])
        case .truncate:
            guard let length = off_t(exactly: argument) else { return -Int64(EINVAL) }
            return result(ftruncate(descriptor, length))
        case .synchronize: return result(fsync(descriptor))
        case .status: return status(descriptor, payload)
        case .stop, .knownSites, .interruptOthers, .countCopies: return -Int64(EPERM)
        }
    }

    private func stop(_ argument: UInt64) -> Int64 {
        let signal = argument == 0 ? SIGTSTP : Int32(truncatingIfNeeded: argument)
        guard [SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU].contains(signal) else { return -Int64(EINVAL) }
        stopSelf(signal)
        return 0
    }

    private mutating func keepSites(
        _ count: UInt64,
        _ payload: UnsafeMutableRawBufferPointer
    ) -> Int64 {
        guard count <= UInt64(payload.count / KnownSite.encodedSize) else { return -Int64(EINVAL) }
        guard knownSites.count + Int(count) <= KnownSite.limit else { return -Int64(ENOSPC) }
        for index in 0..<Int(count) {
            let offset = index * KnownSite.encodedSize
            let word = payload.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
            knownSites.append(KnownSite(word: word))
        }
        return Int64(count)
    }

    private func seek(_ descriptor: Int32, _ argument: UInt64, _ whence: UInt8) -> Int64 {
        let offset = lseek(descriptor, off_t(bitPattern: argument), Int32(whence))
        return offset < 0 ? -Int64(errno) : Int64(offset)
    }

    private func status(_ descriptor: Int32, _ payload: UnsafeMutableRawBufferPointer) -> Int64 {
        guard let stream = StandardStreams.describe(descriptor) else { return -Int64(EBADF) }
        payload.storeBytes(of: stream.mode, toByteOffset: 0, as: UInt32.self)
        payload.storeBytes(of: stream.flags, toByteOffset: 4, as: UInt32.self)
        payload.storeBytes(of: stream.device, toByteOffset: 8, as: UInt64.self)
        payload.storeBytes(of: stream.inode, toByteOffset: 16, as: UInt64.self)
        payload.storeBytes(of: stream.size, toByteOffset: 24, as: UInt64.self)
        return 0
    }

    private func result(_ value: Int32) -> Int64 { value < 0 ? -Int64(errno) : Int64(value) }
}

extension off_t {
    fileprivate init(bitPattern bits: UInt64) { self = off_t(Int64(bitPattern: bits)) }
}
