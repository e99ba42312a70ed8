import Glibc
import NineP

/// Serves folders over a socket, in a thread: what waits for a disk keeps nobody else waiting.
///
/// A request is its server's number, `u32`, and the message; an answer is the message alone. The next
/// request comes after the answer.
public final class FolderConnection {
    private let socket: Int32
    private let servers: [FolderServer]
    private static let prefixSize = 4

    /// - Parameter socket: the connection's from now on.
    public init(socket: Int32, servers: [FolderServer]) {
        self.socket = socket
        self.servers = servers
    }

    deinit { close(socket) }

    /// Serves until the other end is gone, or breaks the rules.
    public func serve() {
        let size = FolderConnection.prefixSize + FolderServer.largestMessage
        let request = UnsafeMutableRawBufferPointer.allocate(byteCount: size, alignment: 8)
        let answer = UnsafeMutableRawBufferPointer.allocate(byteCount: size, alignment: 8)
        defer {
            // Whoever waits for an answer is told that there is none.
            shutdown(socket, Int32(SHUT_RDWR))
            request.deallocate()
            answer.deallocate()
        }
        while let count = receive(into: request) {
            let number = Int(request.loadUnaligned(as: UInt32.self).littleEndian)
            let message = UnsafeRawBufferPointer(
                rebasing: request[FolderConnection.prefixSize..<count]
            )
            guard number < servers.count,
                let length = servers[number].answer(message, into: answer),
                send(UnsafeRawBufferPointer(rebasing: answer[..<length]))
            else { return }
        }
    }

    /// One request, whole; how long it is with its prefix, or nil at the end.
    private func receive(into buffer: UnsafeMutableRawBufferPointer) -> Int? {
        var received = 0
        var wanted = FolderConnection.prefixSize + Protocol9P.headerSize
        while received < wanted {
            let room = UnsafeMutableRawBufferPointer(rebasing: buffer[received...])
            let count = recv(socket, room.baseAddress, room.count, 0)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return nil }
            received += count
            guard received >= FolderConnection.prefixSize + Protocol9P.headerSize else { continue }
            let size = buffer.loadUnaligned(
                fromByteOffset: FolderConnection.prefixSize,
                as: UInt32.self
            )
            guard size >= Protocol9P.headerSize, size <= FolderServer.largestMessage else {
                return nil
            }
            wanted = FolderConnection.prefixSize + Int(size)
        }
        // More than that would be a second request.
        return received == wanted ? wanted : nil
    }

    private func send(_ bytes: UnsafeRawBufferPointer) -> Bool {
        var rest = bytes
        while !rest.isEmpty {
            let count = Glibc.send(socket, rest.baseAddress, rest.count, Int32(MSG_NOSIGNAL))
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return false }
            rest = UnsafeRawBufferPointer(rebasing: rest[count...])
        }
        return true
    }

    /// Serves in a thread of its own, which takes no signals. False when there can be none.
    public func start() -> Bool {
        var all = sigset_t()
        var before = sigset_t()
        sigfillset(&all)
        pthread_sigmask(SIG_BLOCK, &all, &before)
        defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
        var thread = pthread_t()
        let connection = Unmanaged.passRetained(self)
        let failure = pthread_create(
            &thread,
            nil,
            { argument in
                Unmanaged<FolderConnection>.fromOpaque(argument!).takeRetainedValue().serve()
                return nil
            },
            connection.toOpaque()
        )
        guard failure == 0 else {
            connection.release()
            return false
        }
        pthread_detach(thread)
        return true
    }
}
