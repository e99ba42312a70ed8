import LinuxABI

/// The number of an open file of a process.
public struct FileDescriptor: Equatable {
    public let rawValue: UInt32

    /// Takes a register, of which Linux looks at 32 bits.
    @inline(__always)
    public init(_ register: UInt) { rawValue = UInt32(truncatingIfNeeded: register) }

    @inline(__always)
    public init(_ number: Int32) { rawValue = UInt32(bitPattern: number) }
}

/// The open files of a process by descriptor number; the lowest free number is given first.
///
/// Lookups lend a file without retaining it: the kernel is not preempted, and whoever waits while
/// it uses a file retains it first.
public final class DescriptorTable {
    private typealias Slot = Unmanaged<OpenFile>?

    private static let wordBits = 64
    /// RLIMIT_NOFILE's own limit: fs.nr_open.
    public static let largest = 1 << 20

    private var slots: UnsafeMutablePointer<Slot>
    /// A bit for each descriptor in use, and for each that execve(2) closes.
    private var used: UnsafeMutablePointer<UInt64>
    private var closing: UnsafeMutablePointer<UInt64>
    public private(set) var capacity: Int
    /// No descriptor below is free.
    private var firstFree = 0

    public init() {
        capacity = DescriptorTable.wordBits
        slots = .allocate(capacity: capacity)
        slots.initialize(repeating: nil, count: capacity)
        used = .allocate(capacity: 1)
        closing = .allocate(capacity: 1)
        used.initialize(to: 0)
        closing.initialize(to: 0)
    }

    deinit {
        closeAll()
        slots.deallocate()
        used.deallocate()
        closing.deallocate()
    }

    // MARK: Looking up

    @inline(__always)
    public func find(_ descriptor: FileDescriptor) -> Unmanaged<OpenFile>? {
        let index = Int(descriptor.rawValue)
        return index < capacity ? slots[index] : nil
    }

    /// Lends the file behind a descriptor. Throws `badDescriptor`.
    @inline(__always)
    public func lend(_ descriptor: FileDescriptor) throws(Errno) -> Unmanaged<OpenFile> {
        guard let file = find(descriptor) else { throw .badDescriptor }
        return file
    }

    /// A file to keep. Throws `badDescriptor`.
    public func file(_ descriptor: FileDescriptor) throws(Errno) -> OpenFile {
        try lend(descriptor).takeUnretainedValue()
    }

    public func closesOnExec(_ descriptor: FileDescriptor) -> Bool {
        let index = Int(descriptor.rawValue)
        return index < capacity && closing[index / 64] >> UInt64(index % 64) & 1 != 0
    }

    public func setClosesOnExec(_ descriptor: FileDescriptor, _ closes: Bool) throws(Errno) {
        _ = try lend(descriptor)
        setBit(closing, Int(descriptor.rawValue), closes)
    }

    /// The lowest descriptor in use that is not below `start`.
    public func next(from start: Int) -> Int? {
        var index = max(start, 0)
        while index < capacity {
            let word = used[index / 64] >> UInt64(index % 64)
            guard word == 0 else { return index + word.trailingZeroBitCount }
            index = (index / 64 + 1) * 64
        }
        return nil
    }

    // MARK: Changing

    /// Gives a file the lowest free descriptor that is not below `start`.
    /// Throws `tooManyOpenFiles` at the limit of the process.
    @inline(__always)
    public func insert(_ file: OpenFile, closesOnExec: Bool, from start: Int = 0)
        throws(Errno) -> FileDescriptor
    {
        let index = try freeIndex(from: start)
        occupy(index, Unmanaged.passRetained(file), closesOnExec)
        if index == firstFree { firstFree = index + 1 }
        return FileDescriptor(Int32(truncatingIfNeeded: index))
    }

    /// The lowest free descriptor, before a file is made for it. Throws `tooManyOpenFiles`.
    @inline(__always)
    @discardableResult
    public func checkRoom() throws(Errno) -> Int { try freeIndex(from: 0) }

    /// Gives a file the descriptor that `checkRoom` found, or another if it was taken meanwhile.
    /// Takes the caller's reference over, unless it throws.
    @inline(__always)
    public func insert(_ file: Unmanaged<OpenFile>, closesOnExec: Bool, at index: Int)
        throws(Errno) -> FileDescriptor
    {
        var index = index
        if index >= capacity || slots[index] != nil { index = try freeIndex(from: 0) }
        occupy(index, file, closesOnExec)
        if index == firstFree { firstFree = index + 1 }
        return FileDescriptor(Int32(truncatingIfNeeded: index))
    }

    /// Puts a file at a descriptor, as dup2(2): what was open there is closed.
    public func replace(_ descriptor: FileDescriptor, with file: OpenFile, closesOnExec: Bool)
        throws(Errno)
    {
        let index = Int(descriptor.rawValue)
        guard index < limit else { throw .badDescriptor }
        if index >= capacity { try grow(to: index + 1) }
        let previous = slots[index]
        occupy(index, Unmanaged.passRetained(file), closesOnExec)
        if let previous { drop(previous) }
    }

    /// As close(2).
    @inline(__always)
    public func close(_ descriptor: FileDescriptor) throws(Errno) {
        let index = Int(descriptor.rawValue)
        guard index < capacity, let file = slots[index] else { throw .badDescriptor }
        vacate(index)
        drop(file)
    }

    /// As close_range(2), without its flags.
    public func close(_ range: ClosedRange<UInt32>) {
        var cursor = Int(range.lowerBound)
        while let index = next(from: cursor), index <= Int(range.upperBound) {
            try? close(FileDescriptor(UInt(index)))
            cursor = index + 1
        }
    }

    /// Marks a range for closing at execve(2).
    public func setClosesOnExec(_ range: ClosedRange<UInt32>) {
        var cursor = Int(range.lowerBound)
        while let index = next(from: cursor), index <= Int(range.upperBound) {
            setBit(closing, index, true)
            cursor = index + 1
        }
    }

    /// Closes what execve(2) closes.
    public func closeOnExec() {
        for word in 0..<capacity / 64 {
            while closing[word] != 0 {
                let index = word * 64 + closing[word].trailingZeroBitCount
                closing[word] &= closing[word] &- 1
                try? close(FileDescriptor(UInt(index)))
            }
        }
    }

    public func closeAll() { close(0...UInt32.max) }

    /// A table of its own with the same open files, for a child or unshare(CLONE_FILES).
    public func duplicate() throws(Errno) -> DescriptorTable {
        let copy = DescriptorTable()
        if capacity > copy.capacity { try copy.grow(to: capacity) }
        var cursor = 0
        while let index = next(from: cursor), let file = slots[index] {
            let closes = closing[index / 64] >> UInt64(index % 64) & 1 != 0
            copy.occupy(index, file.retain(), closes)
            cursor = index + 1
        }
        copy.firstFree = firstFree
        return copy
    }

    // MARK: Slots

    private var limit: Int {
        let limit = Process.current.limits[.openFiles].current
        return Int(min(limit, UInt64(DescriptorTable.largest)))
    }

    @inline(__always)
    private func freeIndex(from start: Int) throws(Errno) -> Int {
        let start = max(start, firstFree)
        if start < capacity {
            let word = ~used[start / 64] >> UInt64(start % 64)
            if word != 0 {
                let index = start + word.trailingZeroBitCount
                guard index < limit else { throw .tooManyOpenFiles }
                return index
            }
        }
        return try searchFreeIndex(from: start)
    }

    @inline(never)
    private func searchFreeIndex(from start: Int) throws(Errno) -> Int {
        var index = start
        while index < capacity {
            let word = ~used[index / 64] >> UInt64(index % 64)
            if word != 0 {
                index += word.trailingZeroBitCount
                break
            }
            index = (index / 64 + 1) * 64
        }
        guard index < limit else { throw .tooManyOpenFiles }
        if index >= capacity { try grow(to: index + 1) }
        return index
    }

    private func grow(to count: Int) throws(Errno) {
        var size = capacity
        while size < count { size *= 2 }
        let words = size / 64
        let newUsed = try KernelBuffer.allocateZeroed(size / 8)
            .bindMemory(to: UInt64.self, capacity: words)
        do throws(Errno) {
            let newClosing = try KernelBuffer.allocateZeroed(size / 8)
                .bindMemory(to: UInt64.self, capacity: words)
            do throws(Errno) {
                let newSlots = try KernelBuffer.allocate(size * MemoryLayout<Slot>.stride)
                    .bindMemory(to: Slot.self, capacity: size)
                newSlots.initialize(repeating: nil, count: size)
                adopt(newSlots, newUsed, newClosing, size)
            } catch {
                KernelBuffer.free(newClosing)
                throw error
            }
        } catch {
            KernelBuffer.free(newUsed)
            throw error
        }
    }

    private func adopt(
        _ newSlots: UnsafeMutablePointer<Slot>,
        _ newUsed: UnsafeMutablePointer<UInt64>,
        _ newClosing: UnsafeMutablePointer<UInt64>,
        _ size: Int
    ) {
        newSlots.update(from: slots, count: capacity)
        newUsed.update(from: used, count: capacity / 64)
        newClosing.update(from: closing, count: capacity / 64)
        slots.deallocate()
        used.deallocate()
        closing.deallocate()
        slots = newSlots
        used = newUsed
        closing = newClosing
        capacity = size
    }

    @inline(__always)
    private func occupy(_ index: Int, _ file: Unmanaged<OpenFile>, _ closesOnExec: Bool) {
        slots[index] = file
        setBit(used, index, true)
        setBit(closing, index, closesOnExec)
    }

    @inline(__always)
    private func vacate(_ index: Int) {
        slots[index] = nil
        setBit(used, index, false)
        setBit(closing, index, false)
        if index < firstFree { firstFree = index }
    }

    @inline(__always)
    private func setBit(_ words: UnsafeMutablePointer<UInt64>, _ index: Int, _ value: Bool) {
        let bit: UInt64 = 1 << UInt64(index & 63)
        if value { words[index >> 6] |= bit } else { words[index >> 6] &= ~bit }
    }

    @inline(__always)
    private func drop(_ file: Unmanaged<OpenFile>) {
        file.lend { file in
            file.descriptorClosed()
            // A process's locks go with any descriptor of the file that it closes: fcntl(2).
            if file.hasLocks { releaseLocks(of: file) }
        }
        file.release()
    }

    @inline(never)
    private func releaseLocks(of file: OpenFile) {
        file.inode?.locks?.releaseAll(FileLocks.Owner(self, of: 0))
    }
}
