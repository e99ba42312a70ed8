import LinuxABI
import Platform

/// The memory of a process, for another one: process_vm_readv(2).
///
/// Where it has an address space of its own that is shown for a moment, and what is copied goes by
/// way of a buffer of the kernel's.
public struct ProcessMemory {
    private let space: AddressSpace
    private static let bufferSize = 64 << 10

    /// Throws `noSuchProcess`, `notPermitted`.
    public init(_ id: Int32) throws(Errno) {
        guard let process = ThreadTable.thread(id)?.process ?? ProcessTable.process(id) else {
            throw .noSuchProcess
        }
        guard process.credentials.admits(Process.current.credentials.realUser) else {
            throw .notPermitted
        }
        guard let space = process.addressSpace else { throw .noSuchProcess }
        self.space = space
    }

    /// Copies from ranges of its memory to the current process's, as far as that goes.
    public func read(_ source: inout RemoteRanges, _ target: inout Transfer) throws(Errno) -> Int {
        let memory = try KernelBuffer(ProcessMemory.bufferSize)
        let base = memory.bytes.baseAddress!
        var done = 0
        while target.remaining > 0, !source.isEmpty {
            let wanted = min(target.remaining, ProcessMemory.bufferSize)
            let count = visit {
                source.move(wanted) { (address, offset, part) in
                    user_copy(base + offset, UnsafeRawPointer(bitPattern: address), part)
                }
            }
            let given = try ProcessMemory.shorten(after: done) { () throws(Errno) in
                guard count > 0 else { throw .badAddress }
                return try target.give(base, count)
            }
            done += given
            guard given == wanted || given == count && source.isEmpty else { break }
        }
        return done
    }

    /// Copies from the current process's memory to ranges of this one's, as far as that goes.
    public func write(_ target: inout RemoteRanges, _ source: inout Transfer) throws(Errno) -> Int {
        let memory = try KernelBuffer(ProcessMemory.bufferSize)
        let base = memory.bytes.baseAddress!
        var done = 0
        while source.remaining > 0, !target.isEmpty {
            let wanted = min(source.remaining, target.remaining, ProcessMemory.bufferSize)
            let taken = try ProcessMemory.shorten(after: done) { () throws(Errno) in
                try source.take(base, wanted)
            }
            let count = visit {
                target.move(taken) { (address, offset, part) in
                    user_copy(UnsafeMutableRawPointer(bitPattern: address), base + offset, part)
                }
            }
            guard done + count > 0 || taken == 0 else { throw .badAddress }
            done += count
            guard count == wanted else { break }
        }
        return done
    }

    private func visit(_ body: () -> Int) -> Int {
        var count = 0
        Scheduler.visit(space) { count = body() }
        return count
    }

    /// Zero instead of an error when something was copied before.
    private static func shorten(after done: Int, _ body: () throws(Errno) -> Int)
        throws(Errno) -> Int
    {
        do throws(Errno) { return try body() } catch {
            guard done > 0 else { throw error }
            return 0
        }
    }
}

/// Ranges of another process's memory that are gone through.
public struct RemoteRanges {
    private let ranges: UnsafeBufferPointer<TransferSegment>
    private var index = 0
    private var offset = 0
    public private(set) var remaining: Int

    /// The list is the kernel's. Throws `invalidArgument` for a length that none has.
    public init(_ ranges: UnsafeBufferPointer<TransferSegment>) throws(Errno) {
        self.ranges = ranges
        remaining = 0
        for range in ranges {
            guard range.length <= UInt(Int.max) else { throw .invalidArgument }
            remaining = min(remaining + min(Int(range.length), Transfer.limit), Transfer.limit)
        }
    }

    public var isEmpty: Bool { remaining == 0 }

    /// Moves up to `count` bytes. `copy` is given an address, how many bytes were moved before and how
    /// many to move, and answers how many it could not. Stops there.
    fileprivate mutating func move(_ count: Int, _ copy: (UInt, Int, Int) -> Int) -> Int {
        var done = 0
        while done < count, remaining > 0, index < ranges.count {
            let part = min(count - done, Int(ranges[index].length) - offset, remaining)
            let address = ranges[index].base &+ UInt(offset)
            let isProgram = UserMemory.isProgram(address, part)
            let left = part == 0 ? 0 : isProgram ? copy(address, done, part) : part
            done += part - left
            offset += part - left
            remaining -= part - left
            guard left == 0 else { break }
            if offset == Int(ranges[index].length) {
                index += 1
                offset = 0
            }
        }
        return done
    }
}
