import LinuxABI
import Platform

/// The extended attributes that a file has: xattr(7).
///
/// They are kept in the order in which Linux's tmpfs lists them: access lists first, then the others by
/// their names, backwards.
final class ExtendedAttributes {
    private struct Record {
        /// The name, without a NUL, and behind it the value.
        var memory: UnsafeMutableRawPointer
        var nameCount: Int
        var valueCount: Int

        var name: UnsafeRawBufferPointer {
            UnsafeRawBufferPointer(start: memory, count: nameCount)
        }
        var value: UnsafeRawBufferPointer {
            UnsafeRawBufferPointer(start: memory + nameCount, count: valueCount)
        }
    }

    /// XATTR_NAME_MAX
    static let longestName = 255
    /// XATTR_SIZE_MAX
    static let largestValue = 65_536
    /// XATTR_LIST_MAX
    static let largestList = 65_536

    private var records: UnsafeMutablePointer<Record>?
    private var capacity = 0
    private var count = 0

    deinit {
        for index in 0..<count { KernelBuffer.free(records![index].memory) }
        KernelBuffer.free(records)
    }

    /// Where the record of a name is, or is to be.
    private func place(_ name: UnsafeRawBufferPointer) -> (index: Int, isThere: Bool) {
        var low = 0
        var high = count
        while low < high {
            let middle = (low + high) / 2
            let order = ExtendedAttributes.compare(name, records![middle].name)
            if order == 0 { return (middle, true) }
            if order < 0 { high = middle } else { low = middle + 1 }
        }
        return (low, false)
    }

    /// Below zero when `first` is listed before `second`.
    private static func compare(
        _ first: UnsafeRawBufferPointer,
        _ second: UnsafeRawBufferPointer
    ) -> Int {
        let lists = (AccessList.Kind(first), AccessList.Kind(second))
        if (lists.0 == nil) != (lists.1 == nil) { return lists.0 == nil ? 1 : -1 }
        let isForward = lists.0 != nil
        for index in 0..<min(first.count, second.count) where first[index] != second[index] {
            return (first[index] < second[index]) == isForward ? -1 : 1
        }
        if first.count == second.count { return 0 }
        return (first.count < second.count) == isForward ? -1 : 1
    }

    /// The value of a name, until something is changed; nil without one.
    func value(of name: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer? {
        let place = place(name)
        return place.isThere ? records![place.index].value : nil
    }

    /// Sets a value, in the place of one that is there. Throws `noMemory`.
    func set(_ name: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) throws(Errno) {
        let place = place(name)
        if !place.isThere, count == capacity { try grow() }
        let memory = try KernelBuffer.allocate(name.count + value.count)
        UnsafeMutableRawBufferPointer(start: memory, count: name.count).copyMemory(from: name)
        UnsafeMutableRawBufferPointer(start: memory + name.count, count: value.count)
            .copyMemory(from: value)
        let record = Record(memory: memory, nameCount: name.count, valueCount: value.count)
        if place.isThere {
            KernelBuffer.free(records![place.index].memory)
        } else {
            let tail = count - place.index
            (records! + place.index + 1).update(from: records! + place.index, count: tail)
            count += 1
        }
        records![place.index] = record
    }

    private func grow() throws(Errno) {
        let larger = max(capacity * 2, 2)
        let new = try KernelBuffer.allocate(larger * MemoryLayout<Record>.stride)
            .assumingMemoryBound(to: Record.self)
        if let records { new.update(from: records, count: count) }
        KernelBuffer.free(records)
        records = new
        capacity = larger
    }

    /// Whether there was one.
    @discardableResult
    func remove(_ name: UnsafeRawBufferPointer) -> Bool {
        let place = place(name)
        guard place.isThere else { return false }
        KernelBuffer.free(records![place.index].memory)
        count -= 1
        let tail = count - place.index
        (records! + place.index).update(from: records! + place.index + 1, count: tail)
        return true
    }

    /// Calls `body` with each name.
    func forEachName(_ body: (UnsafeRawBufferPointer) -> Void) {
        for index in 0..<count { body(records![index].name) }
    }
}

extension Inode {
    /// Sets an attribute of a file that keeps them. Throws `noMemory`.
    final func setAttribute(_ name: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer)
        throws(Errno)
    {
        let attributes = attributes ?? ExtendedAttributes()
        try attributes.set(name, value)
        self.attributes = attributes
    }
}
