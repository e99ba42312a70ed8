import Builtin

/// A reference to an object that is sure to outlive it: it neither keeps the object alive nor
/// counts (docs/adr/0012).
@propertyWrapper
public struct Lent<Object: AnyObject> {
    unowned(unsafe) private var object: Object?

    @inline(__always)
    public init(wrappedValue: Object?) { object = wrappedValue }

    public var wrappedValue: Object? {
        @inline(__always) _read {
            var copy = self
            let base: Object? = nil
            yield Builtin.convertUnownedUnsafeToGuaranteed(base, &copy.object)
        }
        @inline(__always) set { object = newValue }
    }
}

extension Unmanaged {
    /// The object, which must live for as long as the borrow: its count is not touched.
    public var lent: Instance {
        @inline(__always) _read {
            // A copy through `takeUnretainedValue` would be counted around calls.
            var copy = unsafeBitCast(self, to: Unowned<Instance>.self)
            let base: Instance? = nil
            yield Builtin.convertUnownedUnsafeToGuaranteed(base, &copy.object)
        }
    }

    /// Calls `body` with the object, which must live until it returns. Unlike `lent`, it is not
    /// counted around calls either.
    @inline(__always)
    public func lend<Result, Failure: Error>(
        _ body: (Instance) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        unowned(unsafe) var object: Instance = _withUnsafeGuaranteedRef { $0 }
        let base: Instance? = nil
        return try body(Builtin.convertUnownedUnsafeToGuaranteed(base, &object))
    }
}

/// What `Unmanaged` keeps to itself.
@usableFromInline
struct Unowned<Object: AnyObject> {
    @usableFromInline unowned(unsafe) var object: Object
}
