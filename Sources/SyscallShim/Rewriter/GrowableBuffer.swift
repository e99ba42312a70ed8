/// A raw array with a hard limit, so that a program cannot size the kernel's heap. Elements hold no
/// references.
struct GrowableBuffer<Element>: ~Copyable {
    private var storage: UnsafeMutablePointer<Element>
    private var capacity: Int
    private(set) var count = 0
    let limit: Int

    init(capacity: Int, limit: Int) {
        storage = .allocate(capacity: capacity)
        self.capacity = capacity
        self.limit = limit
    }

    init(copying other: borrowing GrowableBuffer<Element>) {
        storage = .allocate(capacity: other.capacity)
        storage.initialize(from: other.storage, count: other.count)
        capacity = other.capacity
        count = other.count
        limit = other.limit
    }

    deinit { storage.deallocate() }

    var isFull: Bool { count == limit }

    subscript(index: Int) -> Element {
        unsafeAddress { UnsafePointer(storage + index) }
        unsafeMutableAddress { storage + index }
    }

    mutating func insert(_ element: Element, at index: Int) {
        if count == capacity { grow() }
        (storage + index + 1).update(from: storage + index, count: count - index)
        (storage + index).initialize(to: element)
        count += 1
    }

    mutating func append(_ element: Element) { insert(element, at: count) }

    mutating func removeAll() { count = 0 }

    private mutating func grow() {
        precondition(count < limit, "the buffer's limit is checked before it grows")
        let wider = min(capacity * 2, limit)
        let moved = UnsafeMutablePointer<Element>.allocate(capacity: wider)
        moved.moveInitialize(from: storage, count: count)
        storage.deallocate()
        storage = moved
        capacity = wider
    }
}
