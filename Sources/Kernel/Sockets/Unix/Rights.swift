import LinuxABI

/// Open files on their way between processes: SCM_RIGHTS of unix(7).
public final class Rights {
    public let files: [OpenFile]
    private var nextBuried: Unmanaged<Rights>?

    /// Files on their way.
    nonisolated(unsafe) private(set) static var count = 0
    /// Sockets among them; while there are none nothing can hang in a cycle.
    nonisolated(unsafe) private static var socketCount = 0

    public init(_ files: [OpenFile]) {
        self.files = files
        Rights.count += files.count
        for file in files { file.unixSocket?.flights += 1 }
        for file in files where file.unixSocket != nil { Rights.socketCount += 1 }
    }

    deinit {
        Rights.count -= files.count
        for file in files {
            guard let socket = file.unixSocket else { continue }
            socket.flights -= 1
            Rights.socketCount -= 1
        }
    }

    /// Throws `tooManyReferences` when those who are not root have more on their way than they may open.
    static func checkLimit(_ process: Process) throws(Errno) {
        guard process.credentials.effectiveUser != 0 else { return }
        guard UInt64(count) <= process.limits[.openFiles].current else {
            throw .tooManyReferences
        }
    }

    // MARK: Letting go

    nonisolated(unsafe) private static var buried: Unmanaged<Rights>?
    nonisolated(unsafe) private static var isBurying = false

    /// Lets go of what nobody received. A socket that ends with it may hold others on their way, and
    /// those others again: one after the other, not one inside the other.
    static func bury(_ rights: Unmanaged<Rights>) {
        rights.lent.nextBuried = buried
        buried = rights
        guard !isBurying else { return }
        isBurying = true
        while let next = buried {
            buried = next.lent.nextBuried
            next.release()
        }
        isBurying = false
    }

    // MARK: Cycles

    nonisolated(unsafe) private static var isCollecting = false

    /// Lets go of sockets that are reached from no descriptor but only from each other's queues.
    static func collectGarbage() {
        guard socketCount > 0, !isCollecting, !isBurying else { return }
        isCollecting = true
        mark()
        let doomed = sweep()
        for rights in doomed { bury(rights) }
        isCollecting = false
    }

    /// Marks what programs reach: what is open somewhere, and what lies in a marked socket's queue.
    private static func mark() {
        UnixSocket.forEach { $0.isReached = false }
        var reached: Unmanaged<UnixSocket>?
        UnixSocket.forEach { socket in
            guard socket.file != nil else { return }
            // A thread that waits may use a descriptor that was closed meanwhile.
            if socket.flights == 0 || socket.queue.hasThreads { reach(socket, &reached) }
        }
        ProcessTable.forEach { process in
            guard let table = process.descriptors else { return }
            var cursor = 0
            while let index = table.next(from: cursor) {
                cursor = index + 1
                let file = table.find(FileDescriptor(UInt(index)))
                if let socket = file?.lent.unixSocket { reach(socket, &reached) }
            }
        }
        while let socket = reached {
            reached = socket.lent.nextReached
            socket.lent.incoming.forEach { message in
                if let end = message.pointee.socket, socket.lent.isListening {
                    reach(end.lent, &reached)
                }
                guard let rights = message.pointee.rights else { return }
                for file in rights.lent.files {
                    if let socket = file.unixSocket { reach(socket, &reached) }
                }
            }
        }
    }

    private static func reach(_ socket: UnixSocket, _ list: inout Unmanaged<UnixSocket>?) {
        guard !socket.isReached else { return }
        socket.isReached = true
        socket.nextReached = list
        list = Unmanaged.passUnretained(socket)
    }

    /// Takes the files out of the queues that nobody reaches.
    private static func sweep() -> [Unmanaged<Rights>] {
        var doomed: [Unmanaged<Rights>] = []
        UnixSocket.forEach { socket in
            guard !socket.isReached else { return }
            socket.incoming.forEach { message in
                guard let rights = message.pointee.rights else { return }
                message.pointee.rights = nil
                doomed.append(rights)
            }
        }
        return doomed
    }
}

extension OpenFile {
    /// The socket behind it, when it is one that files travel through.
    final var unixSocket: UnixSocket? {
        guard traits.contains(.socket) else { return nil }
        return unsafeDowncast(self, to: SocketFile.self).socket as? UnixSocket
    }
}
