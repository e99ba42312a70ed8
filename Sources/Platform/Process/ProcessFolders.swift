import HostCalls
import LaunchRecord
import Platform

/// Folders of the host as servers of files: `unirun` has them at the other end of a socket
/// (`HostDescriptor.folders`). One request is under way at a time, and the kernel waits for it.
enum ProcessFolders {
    /// As many as the launch record names.
    nonisolated(unsafe) static var count: UInt32 = 0
    /// The other end broke the rules or is gone: nothing more is asked.
    nonisolated(unsafe) private static var isBroken = false

    private static var messageLimit: UInt64 { 64 << 10 }
    /// Behind the two messages.
    private static var nameOffset: UInt64 { messageLimit * 2 }

    // Errors of the contract.
    private static var failed: Int64 { -5 }
    private static var noDevice: Int64 { -19 }
    private static var interrupted: Int64 { -4 }

    /// Once the record was read.
    static func start() -> Int64 {
        guard count > 0 else { return 0 }
        return ProcessMemory.mapShared(ProcessLayout.folders, nameOffset + 4096)
    }

    private static func memory(_ offset: UInt64) -> UnsafeMutableRawPointer {
        UnsafeMutableRawPointer(bitPattern: UInt(ProcessLayout.folders + offset))!
    }

    // MARK: Operations of the contract

    static func describe(
        _ number: UInt32,
        _ description: UnsafeMutablePointer<platform_file_server>
    ) -> Int64 {
        guard number < count else { return noDevice }
        let name = memory(nameOffset).assumingMemoryBound(to: UInt8.self)
        description.pointee = platform_file_server(
            name: UnsafePointer(name),
            name_length: write(number, to: name),
            request: memory(0),
            message_limit: messageLimit
        )
        return 0
    }

    /// Writes `volume` and a number; how long that is.
    private static func write(_ number: UInt32, to name: UnsafeMutablePointer<UInt8>) -> UInt64 {
        let word: StaticString = "volume"
        var length = word.utf8CodeUnitCount
        name.update(from: word.utf8Start, count: length)
        var divisor: UInt32 = 1
        while number / divisor >= 10 { divisor *= 10 }
        while divisor > 0 {
            name[length] = 0x30 + UInt8(number / divisor % 10)
            length += 1
            divisor /= 10
        }
        return UInt64(length)
    }

    static func ask(_ number: UInt32, _ answer: UnsafeMutablePointer<UnsafeRawPointer?>) -> Int64 {
        guard number < count else { return noDevice }
        let request = memory(0)
        let size = UInt64(request.load(as: UInt32.self))
        guard !isBroken, size >= 7, size <= messageLimit else { return failed }
        isBroken = true
        guard send(number, request, size), let length = receive() else { return failed }
        isBroken = false
        let told = memory(messageLimit)
        let type = told.load(fromByteOffset: 4, as: UInt8.self)
        let failure: UInt8 = 7
        guard type == request.load(fromByteOffset: 4, as: UInt8.self) &+ 1 || type == failure,
            told.loadUnaligned(fromByteOffset: 5, as: UInt16.self)
                == request.loadUnaligned(fromByteOffset: 5, as: UInt16.self)
        else { return failed }
        answer.pointee = UnsafeRawPointer(told)
        return Int64(length)
    }

    private static func send(_ number: UInt32, _ request: UnsafeMutableRawPointer, _ size: UInt64)
        -> Bool
    {
        var number = number
        return withUnsafeMutableBytes(of: &number) { prefix in
            let prefixSize = UInt64(prefix.count)
            var done: UInt64 = 0
            while done < prefixSize + size {
                var segments: InlineArray<2, platform_segment> = [
                    platform_segment(base: prefix.baseAddress, length: prefixSize),
                    platform_segment(base: request, length: size),
                ]
                if done > 0 {
                    let first = min(done, prefixSize)
                    segments[0].length -= first
                    segments[0].base = prefix.baseAddress! + Int(first)
                    segments[1].length -= done - first
                    segments[1].base = request + Int(done - first)
                }
                let count = pass(HostNumber.writev, &segments, 2)
                guard count > 0 else { return false }
                done += UInt64(count)
            }
            return true
        }
    }

    /// An answer, whole; how long it is.
    private static func receive() -> UInt64? {
        let answer = memory(messageLimit)
        var done: UInt64 = 0
        while true {
            var segments: InlineArray<2, platform_segment> = [
                platform_segment(base: answer + Int(done), length: messageLimit - done),
                platform_segment(),
            ]
            let count = pass(HostNumber.readv, &segments, 1)
            guard count > 0 else { return nil }
            done += UInt64(count)
            guard done >= 4 else { continue }
            let size = UInt64(answer.load(as: UInt32.self))
            guard size >= 7, size <= messageLimit, done <= size else { return nil }
            if done == size { return size }
        }
    }

    /// readv(2) or writev(2), begun again when a signal of the kernel's comes between.
    private static func pass(
        _ call: UInt32,
        _ segments: inout InlineArray<2, platform_segment>,
        _ count: UInt64
    ) -> Int64 {
        while true {
            let answer = callHost(
                call,
                UInt64(HostDescriptor.folders.rawValue),
                address(&segments),
                count
            )
            guard answer == interrupted else { return answer }
        }
    }
}
