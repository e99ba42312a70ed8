import LinuxABI

/// Moving bytes from and to a pipe: splice(2), tee(2), vmsplice(2), and sendfile(2) to a pipe.
extension Pipe {
    /// Waits until something can be read; false when nothing will come, or when `done` bytes came already.
    /// Throws `wouldBlock`, `interrupted`.
    private func waitForBytes(_ waits: Bool, after done: Int = 0) throws(Errno) -> Bool {
        while count == 0 {
            guard writers > 0, done == 0 else { return false }
            guard waits else { throw .wouldBlock }
            try queue.wait(for: PollEvents.allReadable.union(.unasked))
        }
        return true
    }

    /// Waits until something can be written. Throws `brokenPipe`, `wouldBlock`, `interrupted`.
    func waitForRoom(_ waits: Bool) throws(Errno) {
        while true {
            guard readers > 0 else {
                Signals.raiseBrokenPipe()
                throw .brokenPipe
            }
            if hasRoom { return }
            guard waits else { throw .wouldBlock }
            try queue.wait(for: PollEvents.allWritable.union(.unasked))
        }
    }

    /// As splice(2) between pipes, and with `keeps` as tee(2).
    static func move(from input: Pipe, to output: Pipe, _ wanted: Int, waits: Bool, keeps: Bool)
        throws(Errno) -> Int
    {
        // While one is waited for the other may change.
        repeat {
            guard try input.waitForBytes(waits) else { return 0 }
            try output.waitForRoom(waits)
        } while input.count == 0
        var done = 0
        while done < wanted, output.hasRoom {
            let part = try input.withFront(wanted - done, skipping: keeps ? done : 0, keeps: keeps)
            {
                (bytes) throws(Errno) in
                try output.withRoom(bytes.count) { (room) throws(Errno) in
                    room.copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[..<room.count]))
                    return room.count
                }
            }
            guard part > 0 else { break }
            done += part
        }
        return done
    }

    /// Moves bytes to the program's memory until there are none.
    func drain(into transfer: inout Transfer, waits: Bool) throws(Errno) -> Int {
        var done = 0
        while transfer.remaining > 0, try waitForBytes(waits, after: done) {
            let wanted = transfer.remaining
            let part = try withFront(wanted) { (bytes) throws(Errno) in
                try transfer.give(bytes.baseAddress!, bytes.count)
            }
            guard part > 0 else { break }
            done += part
        }
        return done
    }

    /// Moves bytes to a file until there are none: to its position, or to one that is given.
    func drain(into file: OpenFile, at position: inout Int?, _ wanted: Int, waits: Bool)
        throws(Errno) -> Int
    {
        var done = 0
        do throws(Errno) {
            while done < wanted, try waitForBytes(waits, after: done) {
                var part = 0
                do throws(Errno) {
                    part = try withFront(wanted - done) { (bytes) throws(Errno) in
                        try Pipe.write(bytes, to: file, at: &position)
                    }
                } catch {
                    guard error == .wouldBlock, waits, !file.isNonBlocking else { throw error }
                    try file.waitUntilReady(.writable)
                    continue
                }
                guard part > 0 else { break }
                done += part
            }
        } catch {
            if done == 0 { throw error }
        }
        return done
    }

    private static func write(
        _ bytes: UnsafeRawBufferPointer,
        to file: OpenFile,
        at position: inout Int?
    ) throws(Errno) -> Int {
        var transfer = Transfer(kernel: bytes)
        guard var own = position else { return try file.write(&transfer, at: &file.position) }
        let count = try file.writePositioned(&transfer, at: &own)
        position = own
        return count
    }

    /// Moves what a file has at once into the pipe.
    func fill(from file: OpenFile, at position: inout Int?, _ wanted: Int, waits: Bool)
        throws(Errno) -> Int
    {
        try waitForRoom(waits)
        var done = 0
        do throws(Errno) {
            while done < wanted, hasRoom {
                var room = 0
                var part = 0
                do throws(Errno) {
                    part = try withRoom(wanted - done) { (bytes) throws(Errno) in
                        room = bytes.count
                        return try Pipe.read(bytes, from: file, at: &position)
                    }
                } catch {
                    guard error == .wouldBlock, done == 0, !file.isNonBlocking else { throw error }
                    try file.waitUntilReady(.readable)
                    try waitForRoom(waits)
                    continue
                }
                done += part
                // What comes by and by is taken as it comes.
                guard part == room, file.traits.contains(.seekable) else { break }
            }
        } catch {
            if done == 0 { throw error }
        }
        return done
    }

    private static func read(
        _ bytes: UnsafeMutableRawBufferPointer,
        from file: OpenFile,
        at position: inout Int?
    ) throws(Errno) -> Int {
        var transfer = Transfer(kernel: UnsafeRawBufferPointer(bytes))
        guard var own = position else { return try file.read(&transfer, at: &file.position) }
        let count = try file.readPositioned(&transfer, at: &own)
        position = own
        return count
    }
}
